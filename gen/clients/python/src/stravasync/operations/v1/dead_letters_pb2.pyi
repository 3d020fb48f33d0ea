import datetime

from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RedriveResult(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REDRIVE_RESULT_UNSPECIFIED: _ClassVar[RedriveResult]
    REDRIVE_RESULT_DRIVEN: _ClassVar[RedriveResult]
    REDRIVE_RESULT_DRIVEN_BEFORE: _ClassVar[RedriveResult]
    REDRIVE_RESULT_KEPT: _ClassVar[RedriveResult]
    REDRIVE_RESULT_MISSING: _ClassVar[RedriveResult]
    REDRIVE_RESULT_WOULD_BE_DRIVEN: _ClassVar[RedriveResult]
REDRIVE_RESULT_UNSPECIFIED: RedriveResult
REDRIVE_RESULT_DRIVEN: RedriveResult
REDRIVE_RESULT_DRIVEN_BEFORE: RedriveResult
REDRIVE_RESULT_KEPT: RedriveResult
REDRIVE_RESULT_MISSING: RedriveResult
REDRIVE_RESULT_WOULD_BE_DRIVEN: RedriveResult

class DeadLetter(_message.Message):
    __slots__ = ("number", "set_aside_time", "stream", "handler", "event", "reason", "attempts", "redrives", "subject", "stream_sequence", "message_id", "payload_bytes")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    SET_ASIDE_TIME_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    HANDLER_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    REDRIVES_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    STREAM_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_BYTES_FIELD_NUMBER: _ClassVar[int]
    number: int
    set_aside_time: _timestamp_pb2.Timestamp
    stream: str
    handler: str
    event: str
    reason: str
    attempts: int
    redrives: int
    subject: str
    stream_sequence: int
    message_id: str
    payload_bytes: int
    def __init__(self, number: _Optional[int] = ..., set_aside_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., stream: _Optional[str] = ..., handler: _Optional[str] = ..., event: _Optional[str] = ..., reason: _Optional[str] = ..., attempts: _Optional[int] = ..., redrives: _Optional[int] = ..., subject: _Optional[str] = ..., stream_sequence: _Optional[int] = ..., message_id: _Optional[str] = ..., payload_bytes: _Optional[int] = ...) -> None: ...

class Header(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class DeadLetterFilter(_message.Message):
    __slots__ = ("handler", "stream", "reason")
    HANDLER_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    handler: str
    stream: str
    reason: str
    def __init__(self, handler: _Optional[str] = ..., stream: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class ListDeadLettersRequest(_message.Message):
    __slots__ = ("filter", "page_size", "page_token")
    FILTER_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    filter: DeadLetterFilter
    page_size: int
    page_token: str
    def __init__(self, filter: _Optional[_Union[DeadLetterFilter, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListDeadLettersResponse(_message.Message):
    __slots__ = ("dead_letters", "next_page_token")
    DEAD_LETTERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    dead_letters: _containers.RepeatedCompositeFieldContainer[DeadLetter]
    next_page_token: str
    def __init__(self, dead_letters: _Optional[_Iterable[_Union[DeadLetter, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetDeadLetterRequest(_message.Message):
    __slots__ = ("number",)
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    number: int
    def __init__(self, number: _Optional[int] = ...) -> None: ...

class GetDeadLetterResponse(_message.Message):
    __slots__ = ("dead_letter", "headers", "json", "undecoded", "withheld", "hidden_fields")
    DEAD_LETTER_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    UNDECODED_FIELD_NUMBER: _ClassVar[int]
    WITHHELD_FIELD_NUMBER: _ClassVar[int]
    HIDDEN_FIELDS_FIELD_NUMBER: _ClassVar[int]
    dead_letter: DeadLetter
    headers: _containers.RepeatedCompositeFieldContainer[Header]
    json: _struct_pb2.Struct
    undecoded: bytes
    withheld: str
    hidden_fields: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, dead_letter: _Optional[_Union[DeadLetter, _Mapping]] = ..., headers: _Optional[_Iterable[_Union[Header, _Mapping]]] = ..., json: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., undecoded: _Optional[bytes] = ..., withheld: _Optional[str] = ..., hidden_fields: _Optional[_Iterable[str]] = ...) -> None: ...

class RedriveDeadLettersRequest(_message.Message):
    __slots__ = ("numbers", "filter", "limit", "token", "to_handler", "dry_run")
    NUMBERS_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    TO_HANDLER_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    numbers: _containers.RepeatedScalarFieldContainer[int]
    filter: DeadLetterFilter
    limit: int
    token: str
    to_handler: str
    dry_run: bool
    def __init__(self, numbers: _Optional[_Iterable[int]] = ..., filter: _Optional[_Union[DeadLetterFilter, _Mapping]] = ..., limit: _Optional[int] = ..., token: _Optional[str] = ..., to_handler: _Optional[str] = ..., dry_run: _Optional[bool] = ...) -> None: ...

class RedriveDeadLettersResponse(_message.Message):
    __slots__ = ("outcomes", "next_token")
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    NEXT_TOKEN_FIELD_NUMBER: _ClassVar[int]
    outcomes: _containers.RepeatedCompositeFieldContainer[RedriveOutcome]
    next_token: str
    def __init__(self, outcomes: _Optional[_Iterable[_Union[RedriveOutcome, _Mapping]]] = ..., next_token: _Optional[str] = ...) -> None: ...

class RedriveOutcome(_message.Message):
    __slots__ = ("number", "result", "stream_sequence", "problem")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    STREAM_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    number: int
    result: RedriveResult
    stream_sequence: int
    problem: str
    def __init__(self, number: _Optional[int] = ..., result: _Optional[_Union[RedriveResult, str]] = ..., stream_sequence: _Optional[int] = ..., problem: _Optional[str] = ...) -> None: ...

class DiscardDeadLettersRequest(_message.Message):
    __slots__ = ("numbers", "filter", "limit", "token", "dry_run")
    NUMBERS_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    numbers: _containers.RepeatedScalarFieldContainer[int]
    filter: DeadLetterFilter
    limit: int
    token: str
    dry_run: bool
    def __init__(self, numbers: _Optional[_Iterable[int]] = ..., filter: _Optional[_Union[DeadLetterFilter, _Mapping]] = ..., limit: _Optional[int] = ..., token: _Optional[str] = ..., dry_run: _Optional[bool] = ...) -> None: ...

class DiscardDeadLettersResponse(_message.Message):
    __slots__ = ("numbers", "next_token")
    NUMBERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_TOKEN_FIELD_NUMBER: _ClassVar[int]
    numbers: _containers.RepeatedScalarFieldContainer[int]
    next_token: str
    def __init__(self, numbers: _Optional[_Iterable[int]] = ..., next_token: _Optional[str] = ...) -> None: ...
