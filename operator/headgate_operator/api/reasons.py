"""Every reason Headgate gives, in one place. The same word appears in conditions, Events, logs, metrics and the runbook."""

from enum import StrEnum


class Reason(StrEnum):
    """A condition or Event reason; `explanation` is its one line for people. docs/runbook.md has a section for each."""

    explanation: str

    def __new__(cls, value: str, explanation: str) -> "Reason":
        """Keep the explanation beside the word."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.explanation = explanation
        return member

    # What is being served
    HEALTHY = "Healthy", "The stable version serves and no rollout is under way."
    WAITING_FOR_FIRST = "WaitingForFirstRevision", "No version is ready yet; nothing is served."
    STABLE_UNAVAILABLE = "StableUnavailable", "The stable version has no available replica."

    # A rollout moves
    CANDIDATE_STARTED = "CandidateStarted", "A new revision was found and its InferenceService is being created."
    CANDIDATE_STARTING = "CandidateStarting", "The candidate's replicas are not all available yet."
    CHECKING_PARITY = "CheckingParity", "The candidate is checked against its golden set before it gets traffic."
    STEP_STARTED = "StepStarted", "The candidate's traffic weight was raised to the next step."
    MIRROR_STARTED = "MirrorStarted", "The candidate gets copies of requests; its answers reach no client."
    STRATEGY_CHANGED = (
        "StrategyChanged",
        "The manifest's strategy changed during the rollout; the candidate starts again with it and keeps its evidence.",
    )
    SHADOWING = "Shadowing", "The candidate is compared with the stable version on copies of its requests."
    ANALYSING = "Analysing", "The candidate has traffic and is compared with the stable version."
    PROMOTED = "Promoted", "The candidate became the stable version."
    FIRST_PROMOTED = "FirstRevision", "The first revision is ready and serves all traffic."
    KNOWN_GOOD = "KnownGood", "A revision from the history came back; it takes over without a canary."
    WATCHING = "Watching", "The promoted version is compared with the previous one, which keeps a holdback of traffic."
    WATCH_ENDED = "WatchEnded", "The watch is over; the previous version is drained."
    WATCH_SUPERSEDED = "WatchSuperseded", "A new revision ended the watch early."
    DATA_WAIVED = "DataWaived", "There were too few requests to decide within holdTimeout, and the manifest says to continue without."
    SUPERSEDED = "Superseded", "A newer revision replaced the candidate."
    CANCELLED = "Cancelled", "The manifest went back to the stable revision; the candidate was withdrawn."
    SCALED_DOWN = "ScaledDown", "A drained version was deleted."

    # A candidate was refused
    CANDIDATE_REJECTED = "CandidateRejected", "The revision was refused; the stable version keeps serving."
    ERRORS_WORSE = "ErrorsWorse", "The candidate fails more often than the stable version."
    LATENCY_WORSE = "LatencyWorse", "The candidate is slow more often than the stable version."
    METRIC_WORSE = "MetricWorse", "By a metric with its own queries, the candidate is worse than the stable version."
    ALL_FAILING = "AllFailing", "Every recent request to the candidate failed while the stable version served well."
    PARITY_MISMATCH = "ParityMismatch", "The candidate does not give the answers it gave where it was trained."
    DATA_QUALITY_WORSE = "DataQualityWorse", "The candidate's answers are broken: missing, constant, or marked as fallbacks."
    PREDICTIONS_DIFFER = "PredictionsDiffer", "The candidate predicts differently from stable on the same inputs, beyond what was expected."
    GROUND_TRUTH_WORSE = "GroundTruthWorse", "Labels show that the candidate predicts worse than the stable version."
    REPEATEDLY_UNREADY = "RepeatedlyUnready", "The candidate lost all its endpoints under traffic for the third time."
    UNDECIDED = "Undecided", "There were too few requests to decide within holdTimeout, and the manifest says Rollback for that."
    TOO_LONG = "MaxDurationExceeded", "The rollout took longer than maxDuration."
    ABORTED = "Aborted", "A person aborted the candidate."
    ROLLED_BACK = "RolledBack", "The promoted version was refused during the watch; the previous version serves again."

    # Something holds; weights stay where they are
    PAUSED = "Paused", "A person or the manifest paused the rollout; it continues when the pause ends."
    PAUSE_STEP = "PauseStep", "The rollout is at a pause step of the manifest; promote@ lets it continue."
    SHADOW_READY = "ShadowReady", "The shadow is good enough to take over, but does so only at promote@."
    FLEET_LIMIT = "FleetLimit", "The operator's limit of rollouts at the same time is reached."
    FREEZE_WINDOW = "FreezeWindow", "The operator is in a freeze window: no candidate starts and no weight is raised."
    BREAKER_OPEN = "BreakerOpen", "Many rollouts cannot read their metrics at the same time; none of them moves on or gives up."
    PROVIDER_ERROR = "ProviderError", "The metric provider cannot be reached, or its answer makes no sense."
    NO_DATA = "NoData", "The metric provider answers, but has no data for the candidate or the stable version."
    NO_TRAFFIC = "NoTraffic", "Requests arrive, but none reaches the candidate, although it has weight."
    SPLIT_MISMATCH = "SplitMismatch", "The candidate's share of the requests contradicts its weight."
    OBJECTIVE_MISSED = "ObjectiveMissed", "The candidate misses a metric's declared maximum."
    INSUFFICIENT_DATA = "InsufficientData", "Too few requests so far to decide."
    PARITY_UNAVAILABLE = "ParityUnavailable", "The candidate did not answer the golden inputs."
    GOLDEN_MISSING = "GoldenMissing", "The manifest names or requires a golden set that does not exist or cannot be read."
    WORLD_CHANGED = "WorldChanged", "The requests differ from the training data, for every version alike; no version is to blame."
    PREDICTIONS_MOVED = (
        "PredictionsMoved",
        "A version's predictions are distributed differently than when it was evaluated; this is reported and has no effect.",
    )
    LABELS_UNEVEN = "LabelsUneven", "Labels arrive more often for one of the two versions, so they cannot be used to compare them."
    SKILL_DROPPED = "SkillDropped", "Labels show that the stable version predicts worse than when it was promoted."
    ROUTING_BIAS = "RoutingBias", "The candidate gets different requests than stable, so the two cannot be compared."
    MONITOR_UNAVAILABLE = "MonitorUnavailable", "The drift monitor does not answer, or knows nothing about the versions yet."
    SUSPENDED = "Suspended", "The candidate failed every request after a pod restart; it gets no traffic until it is ready again."
    CANDIDATE_UNREADY = "CandidateUnready", "The candidate lost its endpoints under traffic; its weight is 0 until it is ready."
    PREVIOUS_UNREADY = (
        "PreviousUnready",
        "The previous version lost its endpoints during the watch; its holdback is 0 until it is ready again.",
    )
    WAITING_FOR_HOOK = "WaitingForHook", "A hook that must agree before the rollout goes on has not answered 2xx yet."
    HOOK_FAILED = "HookFailed", "A hook that must agree did not answer 2xx within its retries; the candidate stays where it is."
    ROUTE_PENDING = "RoutePending", "The gateway has not accepted the decided weights yet."
    WAITING_FOR_SLOT = (
        "WaitingForSlot",
        "Answers of a replaced version may still be in flight; the next candidate waits for its place in the route.",
    )

    # A person is needed
    CANDIDATE_NOT_READY = "CandidateNotReady", "The candidate was not ready within progressDeadline."
    HOLD_TIMEOUT = "HoldTimeout", "The rollout was on hold for longer than holdTimeout."
    INVALID_SPEC = "InvalidSpec", "The manifest breaks a rule."
    RUNTIME_MISSING = "RuntimeMissing", "The serving runtime that the manifest names does not exist."
    REGISTRY_UNAVAILABLE = "RegistryUnavailable", "The model registry could not be asked which version the alias points to."
    RESOLVING_ALIAS = "ResolvingAlias", "The model registry is being asked which version the alias points to."
    CRD_OUTDATED = "CrdOutdated", "The installed CRD is older than the operator, which writes nothing until it is replaced."
    NAME_TAKEN = "NameTaken", "An object that Headgate must create already exists and belongs to somebody else."
    HOSTNAME_TAKEN = "HostnameTaken", "Another route has one of the hostnames on the same gateway and gets its requests."
    STATE_LOST = "StateLost", "The status was lost while the route still exists; stable was restored from the route."
    STATUS_REPAIRED = "StatusRepaired", "Parts of the status could not be read or contradicted each other; as much as possible was rebuilt."

    # Housekeeping
    CHILD_RESTORED = "ChildRestored", "A child was edited or deleted by someone else and was put back."
    CHILD_ADOPTED = (
        "ChildAdopted",
        "A child left behind by an earlier object of the same name matched the pinned status exactly and was adopted.",
    )
    HOOK_PASSED = "HookPassed", "A hook that must agree answered 2xx."
    NOTIFY_FAILED = "NotifyFailed", "A notify hook could not be told of a change of phase; this has no other effect."
    ALIAS_MOVED = "AliasMoved", "The followed alias in the model registry now points to a different version."
    REGISTRY_WRITE_FAILED = (
        "RegistryWriteFailed",
        "A tag or the promoted alias could not be written into the model registry; nothing waits for it.",
    )
    RETRAINING_STARTED = (
        "RetrainingStarted",
        "The drift monitor reports that the stable version is out of date; a training run was started.",
    )
    RETRAINING_SUCCEEDED = "RetrainingSucceeded", "The training run succeeded; its model is rolled out like any new version."
    RETRAINING_FAILED = "RetrainingFailed", "A training run could not be started, or failed."
    COMMAND_APPLIED = "CommandApplied", "A command was carried out."
    COMMAND_IGNORED = "CommandIgnored", "A command did not apply to the revision it named, or could not be carried out now."
    NO_DRIFT = "NoDrift", "No difference was found."
    READY = "Ready", "As it should be."
    NO_CANDIDATE = "NoCandidate", "There is no candidate."
