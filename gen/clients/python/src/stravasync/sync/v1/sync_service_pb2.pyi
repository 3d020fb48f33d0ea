import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from stravasync.sync.v1 import sync_pb2 as _sync_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SyncAdmission(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SYNC_ADMISSION_UNSPECIFIED: _ClassVar[SyncAdmission]
    SYNC_ADMISSION_ADMITTED: _ClassVar[SyncAdmission]
    SYNC_ADMISSION_FOLDED: _ClassVar[SyncAdmission]
    SYNC_ADMISSION_DONE: _ClassVar[SyncAdmission]
SYNC_ADMISSION_UNSPECIFIED: SyncAdmission
SYNC_ADMISSION_ADMITTED: SyncAdmission
SYNC_ADMISSION_FOLDED: SyncAdmission
SYNC_ADMISSION_DONE: SyncAdmission

class ListPosition(_message.Message):
    __slots__ = ("after", "before", "page")
    AFTER_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    after: int
    before: int
    page: int
    def __init__(self, after: _Optional[int] = ..., before: _Optional[int] = ..., page: _Optional[int] = ...) -> None: ...

class BeginSyncRequest(_message.Message):
    __slots__ = ("athlete_id", "request_id", "reason", "request_time", "full", "holder", "attempt")
    ATHLETE_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_TIME_FIELD_NUMBER: _ClassVar[int]
    FULL_FIELD_NUMBER: _ClassVar[int]
    HOLDER_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    athlete_id: str
    request_id: str
    reason: _sync_pb2.SyncReason
    request_time: _timestamp_pb2.Timestamp
    full: bool
    holder: str
    attempt: int
    def __init__(self, athlete_id: _Optional[str] = ..., request_id: _Optional[str] = ..., reason: _Optional[_Union[_sync_pb2.SyncReason, str]] = ..., request_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., full: _Optional[bool] = ..., holder: _Optional[str] = ..., attempt: _Optional[int] = ...) -> None: ...

class BeginSyncResponse(_message.Message):
    __slots__ = ("admission", "session")
    ADMISSION_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    admission: SyncAdmission
    session: SyncSession
    def __init__(self, admission: _Optional[_Union[SyncAdmission, str]] = ..., session: _Optional[_Union[SyncSession, _Mapping]] = ...) -> None: ...

class SyncSession(_message.Message):
    __slots__ = ("lease", "lease_time", "position")
    LEASE_FIELD_NUMBER: _ClassVar[int]
    LEASE_TIME_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    lease: int
    lease_time: _duration_pb2.Duration
    position: ListPosition
    def __init__(self, lease: _Optional[int] = ..., lease_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., position: _Optional[_Union[ListPosition, _Mapping]] = ...) -> None: ...

class RenewSyncRequest(_message.Message):
    __slots__ = ("athlete_id", "lease")
    ATHLETE_ID_FIELD_NUMBER: _ClassVar[int]
    LEASE_FIELD_NUMBER: _ClassVar[int]
    athlete_id: str
    lease: int
    def __init__(self, athlete_id: _Optional[str] = ..., lease: _Optional[int] = ...) -> None: ...

class RenewSyncResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class EndSyncRequest(_message.Message):
    __slots__ = ("athlete_id", "request_id", "lease", "outcome")
    ATHLETE_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    LEASE_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    athlete_id: str
    request_id: str
    lease: int
    outcome: _sync_pb2.SyncOutcome
    def __init__(self, athlete_id: _Optional[str] = ..., request_id: _Optional[str] = ..., lease: _Optional[int] = ..., outcome: _Optional[_Union[_sync_pb2.SyncOutcome, str]] = ...) -> None: ...

class EndSyncResponse(_message.Message):
    __slots__ = ("activities", "inserted", "deleted", "follow_up")
    ACTIVITIES_FIELD_NUMBER: _ClassVar[int]
    INSERTED_FIELD_NUMBER: _ClassVar[int]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    FOLLOW_UP_FIELD_NUMBER: _ClassVar[int]
    activities: int
    inserted: int
    deleted: int
    follow_up: bool
    def __init__(self, activities: _Optional[int] = ..., inserted: _Optional[int] = ..., deleted: _Optional[int] = ..., follow_up: _Optional[bool] = ...) -> None: ...

class GetSyncStateRequest(_message.Message):
    __slots__ = ("athlete_id",)
    ATHLETE_ID_FIELD_NUMBER: _ClassVar[int]
    athlete_id: str
    def __init__(self, athlete_id: _Optional[str] = ...) -> None: ...

class GetSyncStateResponse(_message.Message):
    __slots__ = ("state",)
    STATE_FIELD_NUMBER: _ClassVar[int]
    state: SyncState
    def __init__(self, state: _Optional[_Union[SyncState, _Mapping]] = ...) -> None: ...

class SyncState(_message.Message):
    __slots__ = ("athlete_id", "running", "walking", "synced_up_to_time", "last_full_walk_time", "wanted")
    ATHLETE_ID_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    WALKING_FIELD_NUMBER: _ClassVar[int]
    SYNCED_UP_TO_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_FULL_WALK_TIME_FIELD_NUMBER: _ClassVar[int]
    WANTED_FIELD_NUMBER: _ClassVar[int]
    athlete_id: str
    running: bool
    walking: bool
    synced_up_to_time: _timestamp_pb2.Timestamp
    last_full_walk_time: _timestamp_pb2.Timestamp
    wanted: bool
    def __init__(self, athlete_id: _Optional[str] = ..., running: _Optional[bool] = ..., walking: _Optional[bool] = ..., synced_up_to_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_full_walk_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., wanted: _Optional[bool] = ...) -> None: ...
