from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class SyncReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SYNC_REASON_UNSPECIFIED: _ClassVar[SyncReason]
    SYNC_REASON_CONSENT: _ClassVar[SyncReason]
    SYNC_REASON_SCHEDULE: _ClassVar[SyncReason]
    SYNC_REASON_BACKFILL: _ClassVar[SyncReason]
    SYNC_REASON_RECONCILE: _ClassVar[SyncReason]
    SYNC_REASON_WEBHOOK: _ClassVar[SyncReason]
    SYNC_REASON_USER: _ClassVar[SyncReason]

class SyncOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SYNC_OUTCOME_UNSPECIFIED: _ClassVar[SyncOutcome]
    SYNC_OUTCOME_SUCCEEDED: _ClassVar[SyncOutcome]
    SYNC_OUTCOME_NEEDS_CONSENT: _ClassVar[SyncOutcome]
SYNC_REASON_UNSPECIFIED: SyncReason
SYNC_REASON_CONSENT: SyncReason
SYNC_REASON_SCHEDULE: SyncReason
SYNC_REASON_BACKFILL: SyncReason
SYNC_REASON_RECONCILE: SyncReason
SYNC_REASON_WEBHOOK: SyncReason
SYNC_REASON_USER: SyncReason
SYNC_OUTCOME_UNSPECIFIED: SyncOutcome
SYNC_OUTCOME_SUCCEEDED: SyncOutcome
SYNC_OUTCOME_NEEDS_CONSENT: SyncOutcome
