"""What observes a worker program: its activity, and who reports it. Started before the worker, stopped after it."""

from __future__ import annotations

from typing import Protocol

from courier.aws.session import Aws
from courier.messaging.application import Application
from courier.messaging.worker import Worker
from courier.monitoring.activity import Activity
from courier.monitoring.reporter import Reporter
from courier.monitoring.summary import Summary
from courier.settings import Settings


class Observer(Protocol):
    """Reports what a worker does."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End."""


class Observers:
    """The observers of a worker program: a line a minute in its log, its status object, and what is added."""

    def __init__(self, application: Application, settings: Settings, aws: Aws) -> None:
        self.activity = Activity(application.name, aws.clock.now, kind=application.kind)
        self.hooks = self.activity.hooks
        self._all: list[Observer] = [Summary(self.activity)]
        if settings.status_seconds:
            program, seconds = application.program, settings.status_seconds
            self._all.append(Reporter(self.activity, aws, settings.bucket, program=program, seconds=seconds))

    def start(self, worker: Worker, *more: Observer) -> None:
        """Begin to observe a worker."""
        self.activity.watch(worker.in_flight)
        self._all += more
        for one in self._all:
            one.start()

    def stop(self) -> None:
        """End, after the worker has stopped."""
        for one in self._all:
            one.stop()
