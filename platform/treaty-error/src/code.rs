//! The error codes and what each of them means at every boundary.

/// What went wrong, in the terms of gRPC (`google.rpc.Code`), which HTTP and
/// message handling are mapped from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The caller gave up.
    Cancelled,
    /// Nobody knows.
    Unknown,
    /// The request is wrong whatever the state of the system.
    InvalidArgument,
    /// Time ran out before an answer.
    DeadlineExceeded,
    /// It does not exist.
    NotFound,
    /// It exists already.
    AlreadyExists,
    /// The caller is known and not allowed.
    PermissionDenied,
    /// A quota is spent.
    ResourceExhausted,
    /// The system is not in the state that the request needs.
    FailedPrecondition,
    /// A concurrent change won; the whole read-modify-write may be repeated.
    Aborted,
    /// Past the valid range.
    OutOfRange,
    /// Not offered.
    Unimplemented,
    /// A promise of our own code is broken.
    Internal,
    /// Not reachable just now; the same call may succeed later.
    Unavailable,
    /// Data is lost or corrupt.
    DataLoss,
    /// The caller is not known.
    Unauthenticated,
}

/// What becomes of a message whose handler failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Deliver it again after a wait, until its deliveries are spent.
    Retry,
    /// Repeating cannot help: set it aside with its reason at once.
    DeadLetter,
}

/// One row: code, gRPC number, name, HTTP status, disposition.
type Row = (Code, i32, &'static str, u16, Disposition);

/// The mapping. HTTP statuses are those of `google/rpc/code.proto`.
const ROWS: [Row; 16] = {
    use Disposition::{DeadLetter, Retry};
    [
        (Code::Cancelled, 1, "CANCELLED", 499, Retry),
        (Code::Unknown, 2, "UNKNOWN", 500, Retry),
        (Code::InvalidArgument, 3, "INVALID_ARGUMENT", 400, DeadLetter),
        (Code::DeadlineExceeded, 4, "DEADLINE_EXCEEDED", 504, Retry),
        (Code::NotFound, 5, "NOT_FOUND", 404, DeadLetter),
        (Code::AlreadyExists, 6, "ALREADY_EXISTS", 409, DeadLetter),
        (Code::PermissionDenied, 7, "PERMISSION_DENIED", 403, DeadLetter),
        (Code::ResourceExhausted, 8, "RESOURCE_EXHAUSTED", 429, Retry),
        (Code::FailedPrecondition, 9, "FAILED_PRECONDITION", 400, DeadLetter),
        (Code::Aborted, 10, "ABORTED", 409, Retry),
        (Code::OutOfRange, 11, "OUT_OF_RANGE", 400, DeadLetter),
        (Code::Unimplemented, 12, "UNIMPLEMENTED", 501, DeadLetter),
        (Code::Internal, 13, "INTERNAL", 500, Retry),
        (Code::Unavailable, 14, "UNAVAILABLE", 503, Retry),
        (Code::DataLoss, 15, "DATA_LOSS", 500, DeadLetter),
        (Code::Unauthenticated, 16, "UNAUTHENTICATED", 401, Retry),
    ]
};

impl Code {
    fn row(self) -> &'static Row {
        // The rows stand in the order of the enum, which a test asserts.
        &ROWS[self as usize]
    }

    /// The number on the wire (`grpc-status`).
    #[must_use]
    pub fn grpc(self) -> i32 {
        self.row().1
    }

    /// All codes, in the order of their numbers.
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(|row| row.0)
    }

    /// The code with a name of `google.rpc.Code`, such as `NOT_FOUND`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|code| code.as_str() == name)
    }

    /// The code for a number on the wire; [`Code::Unknown`] for one that is not
    /// defined, and for 0, which is no failure.
    #[must_use]
    pub fn from_grpc(number: i32) -> Self {
        ROWS.iter().find(|row| row.1 == number).map_or(Self::Unknown, |row| row.0)
    }

    /// The name in `google.rpc.Code`, for example `NOT_FOUND`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.row().2
    }

    /// The HTTP status.
    #[must_use]
    pub fn http_status(self) -> u16 {
        self.row().3
    }

    /// What becomes of a message whose handler failed with this code.
    #[must_use]
    pub fn disposition(self) -> Disposition {
        self.row().4
    }

    /// Whether the failure is the server's, not the caller's: worth an error in
    /// the log and in the error rate.
    #[must_use]
    pub fn is_server_fault(self) -> bool {
        matches!(
            self,
            Self::Unknown
                | Self::DeadlineExceeded
                | Self::Unimplemented
                | Self::Internal
                | Self::Unavailable
                | Self::DataLoss
        )
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_the_order_of_the_enum() {
        for (index, row) in ROWS.iter().enumerate() {
            assert_eq!(row.0 as usize, index, "{}", row.2);
            assert_eq!(row.0.grpc(), i32::try_from(index).unwrap() + 1);
        }
    }

    #[test]
    fn numbers_round_trip_and_strangers_are_unknown() {
        for row in &ROWS {
            assert_eq!(Code::from_grpc(row.1), row.0);
            assert_eq!(Code::from_name(row.2), Some(row.0));
        }
        assert_eq!(Code::from_grpc(0), Code::Unknown);
        assert_eq!(Code::from_grpc(99), Code::Unknown);
        assert_eq!(Code::from_name("OK"), None);
    }
}
