//! An api in this process that knows athletes and nothing else.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use treaty_error::{Error, Result};
use worker_port::athletes_v1::{
    Athlete, ConnectionState, ListAthletesRequest, ListAthletesResponse, MockAthletesService,
};

/// The athletes and what was asked about them.
#[derive(Clone, Default)]
pub(crate) struct Api {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    athletes: usize,
    asked: Vec<ListAthletesRequest>,
    /// What becomes of the next calls; they succeed when it is empty.
    script: VecDeque<Option<Error>>,
}

impl Api {
    pub(crate) fn with_athletes(athletes: usize) -> Self {
        let api = Self::default();
        api.state.lock().unwrap().athletes = athletes;
        api
    }

    /// Lets so many calls succeed and the one after them fail.
    pub(crate) fn fail_after(&self, calls: usize, error: Error) {
        let script = &mut self.state.lock().unwrap().script;
        script.extend(std::iter::repeat_with(|| None).take(calls));
        script.push_back(Some(error));
    }

    pub(crate) fn asked(&self) -> Vec<ListAthletesRequest> {
        self.state.lock().unwrap().asked.clone()
    }

    /// Tokens of the pages that were asked for.
    pub(crate) fn tokens(&self) -> Vec<String> {
        self.asked().into_iter().map(|request| request.page_token).collect()
    }

    /// The service as the worker sees it.
    pub(crate) fn service(&self) -> MockAthletesService {
        let api = self.clone();
        let mut service = MockAthletesService::new();
        service.expect_list_athletes().returning(move |_, request| api.list(request));
        service
    }

    fn list(&self, request: ListAthletesRequest) -> Result<ListAthletesResponse> {
        let mut state = self.state.lock().unwrap();
        state.asked.push(request.clone());
        if let Some(Some(error)) = state.script.pop_front() {
            return Err(error);
        }
        let first: usize = match request.page_token.as_str() {
            "" => 0,
            token => token.parse().unwrap(),
        };
        let end = (first + usize::try_from(request.page_size).unwrap()).min(state.athletes);
        let next_page_token =
            if end < state.athletes { end.to_string() } else { String::default() };
        Ok(ListAthletesResponse { athletes: (first..end).map(athlete).collect(), next_page_token })
    }
}

pub(crate) fn athlete(number: usize) -> Athlete {
    Athlete {
        athlete_id: athlete_id(number),
        display_name: format!("Athlete {number}"),
        email: format!("athlete-{number}@example.org"),
        connection_state: ConnectionState::Connected.into(),
        ..Athlete::default()
    }
}

pub(crate) fn athlete_id(number: usize) -> String {
    format!("00000000-0000-7000-8000-{number:012}")
}
