import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CallPriority(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CALL_PRIORITY_UNSPECIFIED: _ClassVar[CallPriority]
    CALL_PRIORITY_INTERACTIVE: _ClassVar[CallPriority]
    CALL_PRIORITY_BACKGROUND: _ClassVar[CallPriority]

class WaitReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WAIT_REASON_UNSPECIFIED: _ClassVar[WaitReason]
    WAIT_REASON_SPENT: _ClassVar[WaitReason]
    WAIT_REASON_RESERVED: _ClassVar[WaitReason]
    WAIT_REASON_REFUSED: _ClassVar[WaitReason]
    WAIT_REASON_PROBED: _ClassVar[WaitReason]
    WAIT_REASON_TURNING: _ClassVar[WaitReason]
CALL_PRIORITY_UNSPECIFIED: CallPriority
CALL_PRIORITY_INTERACTIVE: CallPriority
CALL_PRIORITY_BACKGROUND: CallPriority
WAIT_REASON_UNSPECIFIED: WaitReason
WAIT_REASON_SPENT: WaitReason
WAIT_REASON_RESERVED: WaitReason
WAIT_REASON_REFUSED: WaitReason
WAIT_REASON_PROBED: WaitReason
WAIT_REASON_TURNING: WaitReason

class CallCount(_message.Message):
    __slots__ = ("limit", "used")
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    USED_FIELD_NUMBER: _ClassVar[int]
    limit: int
    used: int
    def __init__(self, limit: _Optional[int] = ..., used: _Optional[int] = ...) -> None: ...

class Usage(_message.Message):
    __slots__ = ("window_start_time", "window", "day", "read_window", "read_day", "refused")
    WINDOW_START_TIME_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    DAY_FIELD_NUMBER: _ClassVar[int]
    READ_WINDOW_FIELD_NUMBER: _ClassVar[int]
    READ_DAY_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    window_start_time: _timestamp_pb2.Timestamp
    window: CallCount
    day: CallCount
    read_window: CallCount
    read_day: CallCount
    refused: bool
    def __init__(self, window_start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., window: _Optional[_Union[CallCount, _Mapping]] = ..., day: _Optional[_Union[CallCount, _Mapping]] = ..., read_window: _Optional[_Union[CallCount, _Mapping]] = ..., read_day: _Optional[_Union[CallCount, _Mapping]] = ..., refused: _Optional[bool] = ...) -> None: ...

class ReserveCallsRequest(_message.Message):
    __slots__ = ("priority", "calls", "usage")
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    priority: CallPriority
    calls: int
    usage: Usage
    def __init__(self, priority: _Optional[_Union[CallPriority, str]] = ..., calls: _Optional[int] = ..., usage: _Optional[_Union[Usage, _Mapping]] = ...) -> None: ...

class ReserveCallsResponse(_message.Message):
    __slots__ = ("calls", "valid_for", "window_start_time", "probe", "wait_reason", "retry_after")
    CALLS_FIELD_NUMBER: _ClassVar[int]
    VALID_FOR_FIELD_NUMBER: _ClassVar[int]
    WINDOW_START_TIME_FIELD_NUMBER: _ClassVar[int]
    PROBE_FIELD_NUMBER: _ClassVar[int]
    WAIT_REASON_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_FIELD_NUMBER: _ClassVar[int]
    calls: int
    valid_for: _duration_pb2.Duration
    window_start_time: _timestamp_pb2.Timestamp
    probe: bool
    wait_reason: WaitReason
    retry_after: _duration_pb2.Duration
    def __init__(self, calls: _Optional[int] = ..., valid_for: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., window_start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., probe: _Optional[bool] = ..., wait_reason: _Optional[_Union[WaitReason, str]] = ..., retry_after: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class ReportUsageRequest(_message.Message):
    __slots__ = ("usage",)
    USAGE_FIELD_NUMBER: _ClassVar[int]
    usage: Usage
    def __init__(self, usage: _Optional[_Union[Usage, _Mapping]] = ...) -> None: ...

class ReportUsageResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetQuotaRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetQuotaResponse(_message.Message):
    __slots__ = ("window", "day", "read_window", "read_day", "window_start_time", "closed_until_time")
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    DAY_FIELD_NUMBER: _ClassVar[int]
    READ_WINDOW_FIELD_NUMBER: _ClassVar[int]
    READ_DAY_FIELD_NUMBER: _ClassVar[int]
    WINDOW_START_TIME_FIELD_NUMBER: _ClassVar[int]
    CLOSED_UNTIL_TIME_FIELD_NUMBER: _ClassVar[int]
    window: CallCount
    day: CallCount
    read_window: CallCount
    read_day: CallCount
    window_start_time: _timestamp_pb2.Timestamp
    closed_until_time: _timestamp_pb2.Timestamp
    def __init__(self, window: _Optional[_Union[CallCount, _Mapping]] = ..., day: _Optional[_Union[CallCount, _Mapping]] = ..., read_window: _Optional[_Union[CallCount, _Mapping]] = ..., read_day: _Optional[_Union[CallCount, _Mapping]] = ..., window_start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., closed_until_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
