import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StartConsentRequest(_message.Message):
    __slots__ = ("athlete_id",)
    ATHLETE_ID_FIELD_NUMBER: _ClassVar[int]
    athlete_id: str
    def __init__(self, athlete_id: _Optional[str] = ...) -> None: ...

class StartConsentResponse(_message.Message):
    __slots__ = ("authorize_url",)
    AUTHORIZE_URL_FIELD_NUMBER: _ClassVar[int]
    authorize_url: str
    def __init__(self, authorize_url: _Optional[str] = ...) -> None: ...

class CompleteConsentRequest(_message.Message):
    __slots__ = ("state", "code", "scope", "error")
    STATE_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    state: str
    code: str
    scope: str
    error: str
    def __init__(self, state: _Optional[str] = ..., code: _Optional[str] = ..., scope: _Optional[str] = ..., error: _Optional[str] = ...) -> None: ...

class CompleteConsentResponse(_message.Message):
    __slots__ = ("athlete_id",)
    ATHLETE_ID_FIELD_NUMBER: _ClassVar[int]
    athlete_id: str
    def __init__(self, athlete_id: _Optional[str] = ...) -> None: ...

class GetAccessTokenRequest(_message.Message):
    __slots__ = ("athlete_id", "rejected_token_digest")
    ATHLETE_ID_FIELD_NUMBER: _ClassVar[int]
    REJECTED_TOKEN_DIGEST_FIELD_NUMBER: _ClassVar[int]
    athlete_id: str
    rejected_token_digest: bytes
    def __init__(self, athlete_id: _Optional[str] = ..., rejected_token_digest: _Optional[bytes] = ...) -> None: ...

class GetAccessTokenResponse(_message.Message):
    __slots__ = ("access_token", "expire_time", "strava_athlete_id")
    ACCESS_TOKEN_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    STRAVA_ATHLETE_ID_FIELD_NUMBER: _ClassVar[int]
    access_token: str
    expire_time: _timestamp_pb2.Timestamp
    strava_athlete_id: int
    def __init__(self, access_token: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., strava_athlete_id: _Optional[int] = ...) -> None: ...
