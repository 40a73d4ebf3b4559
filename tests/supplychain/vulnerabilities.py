"""Known vulnerabilities of everything that is locked: `make audit`, by pip-audit. Needs the network.

Trap: a package that the vulnerability service does not answer for is skipped by pip-audit, which then says "No known vulnerabilities
found". What was skipped was not looked at, so here it is a failure.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

PIP_AUDIT: Final = "pip-audit==2.10.1"
SERVICE: Final = os.environ.get("HEADGATE_AUDIT_SERVICE", "pypi")
"""`pypi` or `osv`."""
_SECONDS: Final = 900
_OURS: Final = "headgate: error:"


def verdict(report: Mapping[str, Any]) -> tuple[int, list[str]]:
    """Return the exit code and what to say: 0 nothing known, 1 something is known, 3 not everything could be looked at."""
    known, skipped, looked_at = [], [], 0
    for package in report["dependencies"]:
        if "skip_reason" in package:
            skipped.append(package["name"])
            continue
        looked_at += 1
        for one in package["vulns"]:
            fixed = ", ".join(one.get("fix_versions") or ()) or "no release yet"
            names = ", ".join([one["id"], *one.get("aliases", ())])
            known.append(f"{package['name']} {package['version']}: {names}; fixed in {fixed}")
    if not looked_at:
        why = "it cannot be reached, or is a mirror that has no such service"
        return 3, [f"{_OURS} the vulnerability service ({SERVICE}) knows none of {len(skipped)} packages: {why}"]
    said = [*known, f"{looked_at} packages looked at, {len(known)} known vulnerabilities"]
    if skipped:
        said.append(f"{_OURS} not looked at, because the service ({SERVICE}) did not answer for them: {', '.join(skipped)}")
    return (1 if known else 3 if skipped else 0), said


def main(uv: str) -> int:
    """Export the lock, audit it, say what came of it."""
    with TemporaryDirectory() as folder:
        wanted = Path(folder) / "requirements.txt"
        export = [uv, "export", "--quiet", "--frozen", "--all-groups", "--no-emit-project", "--output-file", str(wanted)]
        subprocess.run(export, check=True, stdout=subprocess.DEVNULL)
        command = [uv, "tool", "run", "--from", PIP_AUDIT, "pip-audit", "--requirement", str(wanted), "--disable-pip", "--require-hashes",
                   "--vulnerability-service", SERVICE, "--format", "json", "--progress-spinner", "off", "--timeout", "15"]  # fmt: skip
        try:
            ran = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            sys.stderr.write(f"{_OURS} the vulnerability service ({SERVICE}) did not answer within {_SECONDS} s\n")
            return 3
    try:
        report = json.loads(ran.stdout)
    except ValueError:
        last = next(iter(reversed(ran.stderr.strip().splitlines())), "it says nothing")
        sys.stderr.write(f"{_OURS} the vulnerability service ({SERVICE}) cannot be asked: {last[:300]}\n")
        return 3
    code, said = verdict(report)
    sys.stdout.write("\n".join(said) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
