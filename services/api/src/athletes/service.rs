//! The rules about athletes.

use std::sync::Arc;

use uuid::Uuid;

use super::{Athlete, AthleteFilter, AthleteKey, AthletePage};
use super::{AthletesError, AthletesRepository, NewAthlete};
use crate::page;

/// Registers athletes and finds them again.
#[derive(Clone)]
pub struct Athletes {
    repository: Arc<dyn AthletesRepository>,
}

impl Athletes {
    /// The rules over a repository.
    pub fn new(repository: Arc<dyn AthletesRepository>) -> Self {
        Self { repository }
    }

    /// Registers an athlete, whose name and address are as the contract has them.
    ///
    /// # Errors
    /// When the address is known.
    pub async fn register(
        &self,
        display_name: &str,
        email: &str,
    ) -> Result<Athlete, AthletesError> {
        let athlete = NewAthlete {
            // Version 7 grows with time, so that the primary key is filled in order.
            athlete_id: Uuid::now_v7(),
            display_name: display_name.trim().to_owned(),
            email: email.to_owned(),
        };
        self.repository.insert(&athlete).await
    }

    /// One athlete.
    ///
    /// # Errors
    /// When there is none.
    pub async fn get(&self, athlete_id: Uuid) -> Result<Athlete, AthletesError> {
        self.repository.find(athlete_id).await?.ok_or(AthletesError::NotFound)
    }

    /// A page of athletes, oldest registration first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(
        &self,
        filter: AthleteFilter,
        after: Option<AthleteKey>,
        size: i64,
    ) -> Result<AthletePage, AthletesError> {
        // One more than the page tells whether there is a next one.
        let mut athletes = self.repository.list(filter, after, size + 1).await?;
        let next = page::cut(&mut athletes, size, |athlete| AthleteKey {
            time: athlete.created_at,
            id: athlete.athlete_id.into_bytes(),
        });
        Ok(AthletePage { athletes, next })
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use mockall::predicate::{always, eq};

    use super::*;
    use crate::athletes::StateFilter;
    use crate::athletes::repository::MockAthletesRepository;

    fn athlete(new: &NewAthlete) -> Athlete {
        Athlete {
            athlete_id: new.athlete_id,
            display_name: new.display_name.clone(),
            email: new.email.clone(),
            created_at: DateTime::UNIX_EPOCH,
            last_synced_at: None,
            connection_state: None,
        }
    }

    #[tokio::test]
    async fn registering_trims_and_gives_an_identifier() {
        let mut repository = MockAthletesRepository::new();
        repository.expect_insert().returning(|new| Ok(athlete(new)));
        let ada =
            Athletes::new(Arc::new(repository)).register(" Ada ", "ada@example.org").await.unwrap();
        assert_eq!((ada.display_name.as_str(), ada.email.as_str()), ("Ada", "ada@example.org"));
        assert_eq!(ada.athlete_id.get_version_num(), 7);
    }

    #[tokio::test]
    async fn a_page_asks_for_one_more_and_cuts_it() {
        let ids = [Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7()];
        let mut repository = MockAthletesRepository::new();
        repository
            .expect_list()
            .with(eq(AthleteFilter::from(StateFilter::Any)), always(), eq(3))
            .returning(move |_, _, _| {
                let new = |id| NewAthlete {
                    athlete_id: id,
                    display_name: String::new(),
                    email: String::new(),
                };
                Ok(ids.iter().map(|id| athlete(&new(*id))).collect())
            });
        let page = Athletes::new(Arc::new(repository))
            .list(StateFilter::Any.into(), None, 2)
            .await
            .unwrap();
        assert_eq!(page.athletes.len(), 2);
        assert_eq!(page.next.unwrap().id, ids[1].into_bytes());
    }

    #[tokio::test]
    async fn an_unknown_athlete_is_not_found() {
        let mut repository = MockAthletesRepository::new();
        repository.expect_find().returning(|_| Ok(None));
        let error = Athletes::new(Arc::new(repository)).get(Uuid::nil()).await.unwrap_err();
        assert_eq!(treaty_error::Error::from(error).code(), treaty_error::Code::NotFound);
    }
}
