"""Generate the Python contracts from protos/ into build/contracts (git-ignored), or do nothing if they are current.

Current means: made from the same proto texts by the same tools. Typed stubs are made when mypy-protobuf is installed
(the test environment has it); contracts that already have them are not made again without.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

PROTOS = Path(__file__).resolve().parent
BUILD = PROTOS.parent / "build"
TARGET = BUILD / "contracts"
STAMP = TARGET / ".made-from"

# What is generated. buf/validate comes with no wheel for the google.protobuf runtime. The Python of google/rpc comes
# with googleapis-common-protos, but without types that mypy accepts.
GENERATED = ("saguaro", "buf")
STUBS_ONLY = ("google",)


def fingerprint(sources: list[Path], tools: str) -> str:
    digest = hashlib.sha256(tools.encode())
    for path in [Path(__file__), *sources]:
        digest.update(f"\0{path.relative_to(PROTOS)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def stub_plugins() -> list[Path]:
    scripts = Path(sys.executable).parent
    plugins = [scripts / "protoc-gen-mypy", scripts / "protoc-gen-mypy_grpc"]
    return plugins if all(plugin.exists() for plugin in plugins) else []


def protoc(sources: list[Path], *outputs: str) -> None:
    names = [str(source.relative_to(PROTOS)) for source in sources]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", f"--proto_path={PROTOS}", *outputs, *names], check=True)


def protos_in(*roots: str) -> list[Path]:
    return sorted(path for root in roots for path in (PROTOS / root).rglob("*.proto"))


def generate(sources: list[Path], plugins: list[Path], out: Path) -> None:
    # gRPC code is made only where there is a service: the plug-in would write a file for every proto, and merely
    # importing one of those imports grpc, which a worker must never do.
    services = [source for source in sources if re.search(r"^service \w+", source.read_text(encoding="utf-8"), re.M)]
    if plugins:
        use = [f"--plugin={plugin.name}={plugin}" for plugin in plugins]
        protoc(sources, *use, f"--python_out={out}", f"--mypy_out=quiet:{out}")
        # Servers and clients here are synchronous, so the stubs say so instead of a union with asyncio's types.
        protoc(services, *use, f"--grpc_python_out={out}", f"--mypy_grpc_out=quiet,only_sync:{out}")
        # No __init__.py there: google stays the namespace that it is.
        protoc(protos_in(*STUBS_ONLY), *use, f"--mypy_out=quiet:{out}")
    else:
        protoc(sources, f"--python_out={out}", f"--pyi_out={out}")
        protoc(services, f"--grpc_python_out={out}")
    for root in GENERATED:
        for folder in [out / root, *(path for path in (out / root).rglob("*") if path.is_dir())]:
            (folder / "__init__.py").touch()
    (out / "saguaro" / "py.typed").touch()


def replace(new: Path) -> None:
    """Processes may be importing the old contracts: they never see a half-written folder."""
    old = BUILD / f"contracts.old-{os.getpid()}"
    if TARGET.exists():
        TARGET.rename(old)
    new.rename(TARGET)
    shutil.rmtree(old, ignore_errors=True)


def main() -> int:
    sources = protos_in(*GENERATED)
    tools = " ".join(f"{name}={metadata.version(name)}" for name in ("grpcio-tools", "protobuf"))
    plugins = stub_plugins()
    made_from = fingerprint(sources + protos_in(*STUBS_ONLY), tools)
    BUILD.mkdir(exist_ok=True)
    with (BUILD / ".contracts.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = STAMP.read_text(encoding="utf-8").split() if STAMP.exists() else []
        if stamp[:1] == [made_from] and (not plugins or "typed" in stamp):
            return 0
        with tempfile.TemporaryDirectory(prefix="contracts.new-", dir=BUILD) as folder:
            new = Path(folder) / "contracts"
            new.mkdir()
            try:
                generate(sources, plugins, new)
            except subprocess.CalledProcessError as error:
                return error.returncode
            (new / STAMP.name).write_text(f"{made_from} {'typed' if plugins else 'plain'}\n", encoding="utf-8")
            replace(new)
    print(f"contracts: {len(sources)} proto files{' with types' if plugins else ''}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
