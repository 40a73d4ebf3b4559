"""Questions about rights, one's own and others': `kubectl auth can-i` and `kubectl auth whoami`."""

from headgate_devcluster.apiserver.authentication import User
from headgate_devcluster.apiserver.authorization import allowed, require_allowed
from headgate_devcluster.apiserver.calls import Call
from headgate_devcluster.apiserver.objects import Object
from headgate_devcluster.apiserver.store import Store

OTHERS_ACCESS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
ACCESS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
SELF = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


def access_review(review: Object, user: User | None, store: Store) -> Object:
    """Answer whether a user may do something; without RBAC (no user) everybody may do everything."""
    asked = (review.get("spec") or {}).get("resourceAttributes") or {}
    told = {name: asked.get(name, "") for name in ("verb", "group", "resource", "subresource", "namespace", "name")}
    may = user is None or not asked or allowed(user, Call(**told), store)
    return _answer("authorization.k8s.io/v1", "SelfSubjectAccessReview") | {"spec": review.get("spec") or {}, "status": {"allowed": may}}


def subject_review(review: Object, user: User | None, store: Store) -> Object:
    """Answer the same about somebody else, which itself needs a right."""
    spec = review.get("spec") or {}
    told = _answer("authorization.k8s.io/v1", "SubjectAccessReview") | {"spec": spec}
    if user is None:
        return told | {"status": {"allowed": True}}
    require_allowed(user, Call(verb="create", group="authorization.k8s.io", resource="subjectaccessreviews"), store)
    about = User(spec.get("user", ""), frozenset(spec.get("groups") or ()))
    return told | {"status": access_review(review, about, store)["status"]}


def self_review(user: User | None) -> Object:
    """Answer who a user is."""
    info = {"username": user.name, "groups": sorted(user.groups)} if user else {"username": "nobody: RBAC is off", "groups": []}
    return _answer("authentication.k8s.io/v1", "SelfSubjectReview") | {"status": {"userInfo": info}}


def _answer(api_version: str, kind: str) -> Object:
    return {"kind": kind, "apiVersion": api_version, "metadata": {}}
