import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ConnectionState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONNECTION_STATE_UNSPECIFIED: _ClassVar[ConnectionState]
    CONNECTION_STATE_NONE: _ClassVar[ConnectionState]
    CONNECTION_STATE_CONNECTED: _ClassVar[ConnectionState]
    CONNECTION_STATE_REVOKED: _ClassVar[ConnectionState]
CONNECTION_STATE_UNSPECIFIED: ConnectionState
CONNECTION_STATE_NONE: ConnectionState
CONNECTION_STATE_CONNECTED: ConnectionState
CONNECTION_STATE_REVOKED: ConnectionState

class Athlete(_message.Message):
    __slots__ = ("athlete_id", "display_name", "email", "connection_state", "create_time", "last_sync_time")
    ATHLETE_ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    CONNECTION_STATE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_SYNC_TIME_FIELD_NUMBER: _ClassVar[int]
    athlete_id: str
    display_name: str
    email: str
    connection_state: ConnectionState
    create_time: _timestamp_pb2.Timestamp
    last_sync_time: _timestamp_pb2.Timestamp
    def __init__(self, athlete_id: _Optional[str] = ..., display_name: _Optional[str] = ..., email: _Optional[str] = ..., connection_state: _Optional[_Union[ConnectionState, str]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_sync_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class RegisterAthleteRequest(_message.Message):
    __slots__ = ("display_name", "email")
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    display_name: str
    email: str
    def __init__(self, display_name: _Optional[str] = ..., email: _Optional[str] = ...) -> None: ...

class RegisterAthleteResponse(_message.Message):
    __slots__ = ("athlete",)
    ATHLETE_FIELD_NUMBER: _ClassVar[int]
    athlete: Athlete
    def __init__(self, athlete: _Optional[_Union[Athlete, _Mapping]] = ...) -> None: ...

class GetAthleteRequest(_message.Message):
    __slots__ = ("athlete_id",)
    ATHLETE_ID_FIELD_NUMBER: _ClassVar[int]
    athlete_id: str
    def __init__(self, athlete_id: _Optional[str] = ...) -> None: ...

class GetAthleteResponse(_message.Message):
    __slots__ = ("athlete",)
    ATHLETE_FIELD_NUMBER: _ClassVar[int]
    athlete: Athlete
    def __init__(self, athlete: _Optional[_Union[Athlete, _Mapping]] = ...) -> None: ...

class ListAthletesRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "connection_state", "not_synced_since")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CONNECTION_STATE_FIELD_NUMBER: _ClassVar[int]
    NOT_SYNCED_SINCE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    connection_state: ConnectionState
    not_synced_since: _timestamp_pb2.Timestamp
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., connection_state: _Optional[_Union[ConnectionState, str]] = ..., not_synced_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListAthletesResponse(_message.Message):
    __slots__ = ("athletes", "next_page_token")
    ATHLETES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    athletes: _containers.RepeatedCompositeFieldContainer[Athlete]
    next_page_token: str
    def __init__(self, athletes: _Optional[_Iterable[_Union[Athlete, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
