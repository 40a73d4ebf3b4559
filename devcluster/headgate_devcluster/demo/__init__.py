"""The worked example as one command: real flights, four model versions, one promotion, one rollback, one refusal.

    train → cluster → replay July through the gateway → apply version after version → watch → report

Nothing here decides anything about a rollout: the demo applies manifests, sends requests and watches, as a user would.
"""
