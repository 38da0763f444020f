from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ExportAsked:
    export_id: str
    recording_id: str


@dataclass(frozen=True, slots=True)
class ExportAgreed:
    export_id: str
    recording_id: str


@dataclass(frozen=True, slots=True)
class ExportDeclined:
    export_id: str
    recording_id: str


@dataclass(frozen=True, slots=True)
class ExportAdvanced:
    export_id: str
    recording_id: str
    percent: int


@dataclass(frozen=True, slots=True)
class ExportReady:
    export_id: str
    recording_id: str


@dataclass(frozen=True, slots=True)
class ExportFailed:
    export_id: str
    recording_id: str
    problem: str


@dataclass(frozen=True, slots=True)
class ExportTriedAgain:
    export_id: str
    recording_id: str


@dataclass(frozen=True, slots=True)
class ExportCancelled:
    export_id: str
    recording_id: str


@dataclass(frozen=True, slots=True)
class ExportExpired:
    export_id: str
    recording_id: str
