import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from stravasync.sync.v1 import sync_service_pb2 as _sync_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Activity(_message.Message):
    __slots__ = ("activity_id", "athlete_id", "name", "sport_type", "start_time", "timezone", "moving_time", "elapsed_time", "distance_m", "elevation_gain_m", "average_speed_mps", "max_speed_mps", "average_watts", "kilojoules", "average_heartrate_bpm", "gear_id", "device_name", "kudos_count", "trainer", "commute", "manual", "private")
    ACTIVITY_ID_FIELD_NUMBER: _ClassVar[int]
    ATHLETE_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SPORT_TYPE_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    TIMEZONE_FIELD_NUMBER: _ClassVar[int]
    MOVING_TIME_FIELD_NUMBER: _ClassVar[int]
    ELAPSED_TIME_FIELD_NUMBER: _ClassVar[int]
    DISTANCE_M_FIELD_NUMBER: _ClassVar[int]
    ELEVATION_GAIN_M_FIELD_NUMBER: _ClassVar[int]
    AVERAGE_SPEED_MPS_FIELD_NUMBER: _ClassVar[int]
    MAX_SPEED_MPS_FIELD_NUMBER: _ClassVar[int]
    AVERAGE_WATTS_FIELD_NUMBER: _ClassVar[int]
    KILOJOULES_FIELD_NUMBER: _ClassVar[int]
    AVERAGE_HEARTRATE_BPM_FIELD_NUMBER: _ClassVar[int]
    GEAR_ID_FIELD_NUMBER: _ClassVar[int]
    DEVICE_NAME_FIELD_NUMBER: _ClassVar[int]
    KUDOS_COUNT_FIELD_NUMBER: _ClassVar[int]
    TRAINER_FIELD_NUMBER: _ClassVar[int]
    COMMUTE_FIELD_NUMBER: _ClassVar[int]
    MANUAL_FIELD_NUMBER: _ClassVar[int]
    PRIVATE_FIELD_NUMBER: _ClassVar[int]
    activity_id: int
    athlete_id: str
    name: str
    sport_type: str
    start_time: _timestamp_pb2.Timestamp
    timezone: str
    moving_time: _duration_pb2.Duration
    elapsed_time: _duration_pb2.Duration
    distance_m: float
    elevation_gain_m: float
    average_speed_mps: float
    max_speed_mps: float
    average_watts: float
    kilojoules: float
    average_heartrate_bpm: float
    gear_id: str
    device_name: str
    kudos_count: int
    trainer: bool
    commute: bool
    manual: bool
    private: bool
    def __init__(self, activity_id: _Optional[int] = ..., athlete_id: _Optional[str] = ..., name: _Optional[str] = ..., sport_type: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., timezone: _Optional[str] = ..., moving_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., elapsed_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., distance_m: _Optional[float] = ..., elevation_gain_m: _Optional[float] = ..., average_speed_mps: _Optional[float] = ..., max_speed_mps: _Optional[float] = ..., average_watts: _Optional[float] = ..., kilojoules: _Optional[float] = ..., average_heartrate_bpm: _Optional[float] = ..., gear_id: _Optional[str] = ..., device_name: _Optional[str] = ..., kudos_count: _Optional[int] = ..., trainer: _Optional[bool] = ..., commute: _Optional[bool] = ..., manual: _Optional[bool] = ..., private: _Optional[bool] = ...) -> None: ...

class UpsertActivitiesRequest(_message.Message):
    __slots__ = ("athlete_id", "activities", "lease", "next_position", "unusable")
    ATHLETE_ID_FIELD_NUMBER: _ClassVar[int]
    ACTIVITIES_FIELD_NUMBER: _ClassVar[int]
    LEASE_FIELD_NUMBER: _ClassVar[int]
    NEXT_POSITION_FIELD_NUMBER: _ClassVar[int]
    UNUSABLE_FIELD_NUMBER: _ClassVar[int]
    athlete_id: str
    activities: _containers.RepeatedCompositeFieldContainer[Activity]
    lease: int
    next_position: _sync_service_pb2.ListPosition
    unusable: int
    def __init__(self, athlete_id: _Optional[str] = ..., activities: _Optional[_Iterable[_Union[Activity, _Mapping]]] = ..., lease: _Optional[int] = ..., next_position: _Optional[_Union[_sync_service_pb2.ListPosition, _Mapping]] = ..., unusable: _Optional[int] = ...) -> None: ...

class UpsertActivitiesResponse(_message.Message):
    __slots__ = ("inserted", "updated", "unchanged")
    INSERTED_FIELD_NUMBER: _ClassVar[int]
    UPDATED_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    inserted: int
    updated: int
    unchanged: int
    def __init__(self, inserted: _Optional[int] = ..., updated: _Optional[int] = ..., unchanged: _Optional[int] = ...) -> None: ...

class ListActivitiesRequest(_message.Message):
    __slots__ = ("athlete_id", "page_size", "page_token")
    ATHLETE_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    athlete_id: str
    page_size: int
    page_token: str
    def __init__(self, athlete_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListActivitiesResponse(_message.Message):
    __slots__ = ("activities", "next_page_token")
    ACTIVITIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    activities: _containers.RepeatedCompositeFieldContainer[Activity]
    next_page_token: str
    def __init__(self, activities: _Optional[_Iterable[_Union[Activity, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetActivityRequest(_message.Message):
    __slots__ = ("activity_id",)
    ACTIVITY_ID_FIELD_NUMBER: _ClassVar[int]
    activity_id: int
    def __init__(self, activity_id: _Optional[int] = ...) -> None: ...

class GetActivityResponse(_message.Message):
    __slots__ = ("activity",)
    ACTIVITY_FIELD_NUMBER: _ClassVar[int]
    activity: Activity
    def __init__(self, activity: _Optional[_Union[Activity, _Mapping]] = ...) -> None: ...

class GetTotalsRequest(_message.Message):
    __slots__ = ("athlete_id",)
    ATHLETE_ID_FIELD_NUMBER: _ClassVar[int]
    athlete_id: str
    def __init__(self, athlete_id: _Optional[str] = ...) -> None: ...

class GetTotalsResponse(_message.Message):
    __slots__ = ("athletes", "activities", "distance_m", "moving_time")
    ATHLETES_FIELD_NUMBER: _ClassVar[int]
    ACTIVITIES_FIELD_NUMBER: _ClassVar[int]
    DISTANCE_M_FIELD_NUMBER: _ClassVar[int]
    MOVING_TIME_FIELD_NUMBER: _ClassVar[int]
    athletes: int
    activities: int
    distance_m: float
    moving_time: _duration_pb2.Duration
    def __init__(self, athletes: _Optional[int] = ..., activities: _Optional[int] = ..., distance_m: _Optional[float] = ..., moving_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...
