"""A command on several processes of this machine, started by torch's own launcher.

All run the same command line. The first does what one process would do, and speaks; the others train with it
(`harness.runs.following`). None is started again: the same command continues where it was.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import signal
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from harness.cli.output import say
from harness.errors import LostRankError, UserError, first_line
from harness.storage.stopping import ENDING, INTERRUPTED, SAID, end_with_parent, launched

if TYPE_CHECKING:
    from harness.retrieval.ranks import Ranks

WAIT = timedelta(days=30)
"""How long a process waits for the others: while the first mines or evaluates, they have nothing to do."""

GRACE_S = 50
"""Seconds in which processes may end in order, once one of them is lost or a signal has come."""

_ERROR_FILE = "TORCHELASTIC_ERROR_FILE"


def one_of(ranks: int | None, gpus: int | None) -> int | None:
    """Return how many processes are meant; none where neither is given.

    Raises:
        UserError: both are.
    """
    if ranks is not None and gpus is not None:
        raise UserError("--ranks and --gpus are the same number", fix="give one of them")
    return gpus or ranks


def processes(ranks: int | None, gpus: int | None) -> int:
    """Return how many processes a command asks for.

    Raises:
        UserError: there are not as many GPUs, or both are asked for.
    """
    count = one_of(ranks, gpus)
    if gpus is not None:
        import torch

        have = torch.cuda.device_count()
        if gpus > have:
            fix = "give at most as many, or --ranks to run on the CPU"
            raise UserError(f"this machine has {have} GPU(s)", where=f"--gpus {gpus}", fix=fix)
    return count or 1


def on_processes(ranks: int | None, gpus: int | None) -> None:
    """Run this command on as many processes as it asks for, and end with them; go on where this is one.

    Raises:
        UserError: there are not as many GPUs, or both are asked for.
    """
    if not launched() and (count := processes(ranks, gpus)) > 1:
        raise typer.Exit(launch(count))


def launch(count: int) -> int:
    """Run this command on processes, and return the exit code of the first, or 1 where one is lost."""
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException, Std
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    logging.disable(logging.CRITICAL)  # the launcher's; what went wrong is told below, in a line
    with tempfile.TemporaryDirectory() as logs:
        config = LaunchConfig(
            min_nodes=1,
            max_nodes=1,
            nproc_per_node=count,
            run_id=uuid.uuid4().hex,
            rdzv_backend="c10d",
            rdzv_endpoint="localhost:0",
            local_addr="localhost",
            max_restarts=0,
            **_grace(LaunchConfig),
            logs_specs=DefaultLogsSpecs(log_dir=logs, redirects=dict.fromkeys(range(1, count), Std.ALL)),
        )
        try:
            elastic_launch(config, sys.executable)("-m", "harness.cli", *sys.argv[1:])
        except ChildFailedError as error:
            return _failed(error.failures, count)
        except SignalException as stopped:
            code = 128 + int(stopped.sigval)
            if code != INTERRUPTED:  # which the application says itself
                say(SAID, error=True)
            return code
    return 0


def _grace(config: type[Any]) -> dict[str, Any]:
    """Return how long processes may take to end; an older torch has a time of its own, half a minute."""
    known = {of.name for of in dataclasses.fields(config)}
    return {"shutdown_timeout": GRACE_S} if "shutdown_timeout" in known else {}


def _failed(failures: Mapping[int, Any], count: int) -> int:
    """Tell which process is lost and why, unless the first has said why it ends; returns the exit code."""
    stopped = 128 + signal.SIGTERM  # by the launcher, after another was lost, or from outside
    own = failures[0].exitcode if 0 in failures else 0
    told = {rank: f.message for rank, f in failures.items() if Path(f.error_file).is_file()}
    if not told and own > 0 and own not in (LostRankError.exit_code, stopped):
        return int(own)
    killed = {rank: f"it was ended by {f.signal_name()}" for rank, f in failures.items() if f.exitcode < 0}
    why = [f"process {rank} of {count} is lost: {reason}" for rank, reason in {**killed, **told}.items()]
    if own == stopped and not why:
        say(SAID, error=True)
        return stopped
    [first, *_] = why or [f"the {count} processes lost each other"]
    say(f"error: {first}; the same command continues where it was", error=True)
    return 1


@contextmanager
def joined() -> Iterator[Ranks]:
    """Within the block, be one of the processes that a launcher has started; a group of one without it."""
    from harness.retrieval.ranks import ALONE, Ranks

    if not launched():
        yield ALONE
        return
    import torch.distributed as dist

    end_with_parent()
    dist.init_process_group(_backend(), timeout=WAIT)
    ranks = Ranks.here()
    if not ranks.first:
        for number in ENDING:  # the first says when all stop
            signal.signal(number, signal.SIG_IGN)
    try:
        yield ranks
    except LostRankError:
        raise
    except Exception as error:
        if not ranks.first:
            _record(error)
        raise
    dist.destroy_process_group()


def _backend() -> str:
    """Return how tensors travel, and choose this process' GPU; several on one GPU go through the CPU."""
    import torch

    gpus, local = torch.cuda.device_count(), int(os.environ["LOCAL_RANK"])
    if not gpus:
        return "gloo"
    torch.cuda.set_device(local % gpus)
    return "cpu:gloo,cuda:nccl" if int(os.environ["LOCAL_WORLD_SIZE"]) <= gpus else "gloo"


def _record(error: Exception) -> None:
    """Write why this process ends where the launcher reads it."""
    if _ERROR_FILE in os.environ:
        content = {"message": first_line(error), "timestamp": str(int(time.time()))}
        Path(os.environ[_ERROR_FILE]).write_text(json.dumps(content), encoding="utf-8")
