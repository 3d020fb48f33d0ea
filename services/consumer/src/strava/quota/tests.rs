use consumer_port::quota_v1::{
    CallCount, MockQuotaService, ReportUsageResponse, ReserveCallsResponse, WaitReason,
};
use tokio::time::Instant;

use super::*;

const WINDOW: Timestamp = Timestamp { seconds: 900, nanos: 0 };

fn seconds(seconds: i64) -> Option<well_known::Duration> {
    Some(well_known::Duration { seconds, nanos: 0 })
}

fn granted(calls: i32, valid_for: i64) -> ReserveCallsResponse {
    ReserveCallsResponse {
        calls,
        valid_for: seconds(valid_for),
        window_start_time: Some(WINDOW),
        ..Default::default()
    }
}

fn spent(retry_after: i64) -> ReserveCallsResponse {
    ReserveCallsResponse {
        wait_reason: WaitReason::Spent.into(),
        retry_after: seconds(retry_after),
        ..Default::default()
    }
}

fn usage(used: i64, refused: bool) -> Usage {
    let window = Some(CallCount { limit: 100, used });
    Usage { window_start_time: Some(WINDOW), window, refused, ..Default::default() }
}

fn quota(service: MockQuotaService) -> Arc<Quota> {
    Arc::new(Quota::new(Arc::new(service), CancellationToken::new()))
}

const BACKGROUND: CallPriority = CallPriority::Background;

#[tokio::test(start_paused = true)]
async fn a_lease_serves_many_calls_and_ends_with_its_window() {
    let mut service = MockQuotaService::new();
    service.expect_reserve_calls().times(2).returning(|_, _| Ok(granted(3, 10)));
    let quota = quota(service);
    for _ in 0..2 {
        assert_eq!(quota.permit(BACKGROUND).await.unwrap().window, WINDOW);
    }
    // The third is void when its time has come.
    tokio::time::advance(Duration::from_secs(10)).await;
    quota.permit(BACKGROUND).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_waits_asks_now_and_then_and_others_wait_behind() {
    let mut service = MockQuotaService::new();
    let begun = Instant::now();
    // Ten jobs wait for ten minutes, and the api is asked by one of them.
    service.expect_reserve_calls().times(35..=45).returning(move |_, _| {
        let left = 600 - i64::try_from(begun.elapsed().as_secs()).unwrap();
        Ok(if left > 0 { spent(left) } else { granted(10, 60) })
    });
    let quota = quota(service);
    let jobs: Vec<_> = (0..10)
        .map(|_| {
            let quota = Arc::clone(&quota);
            tokio::spawn(async move { quota.permit(BACKGROUND).await.map(|_| Instant::now()) })
        })
        .collect();
    for job in jobs {
        let waited = job.await.unwrap().unwrap() - begun;
        assert!((600..625).contains(&waited.as_secs()), "{waited:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_urgent_do_not_wait_behind_the_others() {
    let mut service = MockQuotaService::new();
    service.expect_reserve_calls().returning(|_, request| {
        Ok(match request.priority() {
            CallPriority::Interactive => granted(1, 60),
            _ => spent(800),
        })
    });
    let quota = quota(service);
    let waits = Arc::clone(&quota);
    let background = tokio::spawn(async move { waits.permit(BACKGROUND).await });
    tokio::task::yield_now().await;
    let begun = Instant::now();
    quota.permit(CallPriority::Interactive).await.unwrap();
    assert_eq!(begun.elapsed(), Duration::ZERO);
    background.abort();
}

#[tokio::test(start_paused = true)]
async fn an_api_that_is_away_is_asked_again_and_not_for_ever() {
    let mut service = MockQuotaService::new();
    let begun = Instant::now();
    service.expect_reserve_calls().returning(move |_, _| {
        let back = begun.elapsed() > Duration::from_secs(30);
        if back { Ok(granted(1, 60)) } else { Err(Error::new(Code::Unavailable, "away")) }
    });
    quota(service).permit(BACKGROUND).await.unwrap();

    let mut service = MockQuotaService::new();
    let away = || Error::new(Code::Unavailable, "away");
    service.expect_reserve_calls().returning(move |_, _| Err(away()));
    let (quota, begun) = (quota(service), Instant::now());
    let error = Error::from(quota.permit(BACKGROUND).await.unwrap_err());
    assert_eq!(error.code(), Code::Unavailable);
    assert!((60..70).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());

    // What will not pass is told at once.
    let mut service = MockQuotaService::new();
    let refused = || Error::new(Code::PermissionDenied, "no");
    service.expect_reserve_calls().times(1).returning(move |_, _| Err(refused()));
    let error = Error::from(self::quota(service).permit(BACKGROUND).await.unwrap_err());
    assert_eq!(error.code(), Code::PermissionDenied);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_process_ends_the_wait() {
    let mut service = MockQuotaService::new();
    service.expect_reserve_calls().returning(|_, _| Ok(spent(80_000)));
    let stop = CancellationToken::new();
    let quota = Quota::new(Arc::new(service), stop.clone());
    let stopping = async {
        tokio::time::sleep(Duration::from_secs(100)).await;
        stop.cancel();
    };
    let (permit, ()) = tokio::join!(quota.permit(BACKGROUND), stopping);
    assert!(matches!(permit, Err(StravaError::Stopping)), "{permit:?}");
}

/// A job that was begun is carried through: given back, it would cost a delivery.
#[tokio::test(start_paused = true)]
async fn a_process_that_ends_still_gives_leave_while_there_are_calls() {
    let mut service = MockQuotaService::new();
    let mut answers = vec![spent(80_000), granted(20, 60), granted(20, 60)];
    service.expect_reserve_calls().times(3).returning(move |_, _| Ok(answers.pop().unwrap()));
    let stop = CancellationToken::new();
    let quota = Quota::new(Arc::new(service), stop.clone());
    quota.permit(BACKGROUND).await.unwrap();
    stop.cancel();
    // More than one reservation has.
    for _ in 0..39 {
        quota.permit(BACKGROUND).await.unwrap();
    }
    let permit = quota.permit(BACKGROUND).await;
    assert!(matches!(permit, Err(StravaError::Stopping)), "{permit:?}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_at_once_and_voids_what_was_reserved() {
    let mut service = MockQuotaService::new();
    service.expect_reserve_calls().times(2).returning(|_, _| Ok(granted(50, 60)));
    service.expect_report_usage().times(1).returning(|_, request| {
        assert!(request.usage.unwrap().refused);
        Ok(ReportUsageResponse {})
    });
    let quota = quota(service);
    let permit = quota.permit(BACKGROUND).await.unwrap();
    quota.learn(&permit, usage(101, true)).await;
    quota.permit(BACKGROUND).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_was_learnt_goes_with_the_next_reservation_and_a_probe_is_told_at_once() {
    let mut service = MockQuotaService::new();
    let mut told = vec![None, Some(9), None];
    service.expect_reserve_calls().times(3).returning(move |_, request| {
        let used = request.usage.and_then(|usage| usage.window).map(|count| count.used);
        assert_eq!(Some(used), told.pop());
        Ok(ReserveCallsResponse { probe: told.is_empty(), ..granted(1, 60) })
    });
    service.expect_report_usage().times(1).returning(|_, request| {
        assert_eq!(request.usage.unwrap().window.unwrap().used, 12);
        Ok(ReportUsageResponse {})
    });
    let quota = quota(service);
    let permit = quota.permit(BACKGROUND).await.unwrap();
    // Answers may overtake each other: the highest count is the newest.
    quota.learn(&permit, usage(9, false)).await;
    quota.learn(&permit, usage(8, false)).await;
    quota.permit(BACKGROUND).await.unwrap();
    let probe = quota.permit(BACKGROUND).await.unwrap();
    quota.learn(&probe, usage(12, false)).await;
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_told_is_told_later() {
    let mut service = MockQuotaService::new();
    let mut calls = 0;
    service.expect_reserve_calls().times(3).returning(move |_, request| {
        calls += 1;
        assert_eq!(request.usage.is_some_and(|usage| usage.refused), calls > 1);
        if calls == 2 { Err(Error::new(Code::Unavailable, "away")) } else { Ok(granted(1, 60)) }
    });
    let away = || Error::new(Code::Unavailable, "away");
    service.expect_report_usage().times(1).returning(move |_, _| Err(away()));
    let quota = quota(service);
    let permit = quota.permit(BACKGROUND).await.unwrap();
    quota.learn(&permit, usage(101, true)).await;
    quota.permit(BACKGROUND).await.unwrap();
}
