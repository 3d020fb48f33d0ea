//! The rules about athletes.

use std::sync::Arc;

use treaty_error::FieldViolation;
use uuid::Uuid;

use super::{Athlete, AthleteKey, AthletePage, AthletesError, AthletesRepository};
use super::{NewAthlete, StateFilter};
use crate::page;

const MAX_NAME: usize = 200;
/// RFC 5321's limit for a path, without its angle brackets.
const MAX_EMAIL: usize = 254;

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

    /// Registers an athlete.
    ///
    /// # Errors
    /// When a field is wrong or the address is known.
    pub async fn register(
        &self,
        display_name: &str,
        email: &str,
    ) -> Result<Athlete, AthletesError> {
        let (display_name, email) = (display_name.trim(), email.trim());
        let mut violations = Vec::new();
        let mut check = |field: &str, wrong: Option<&str>| {
            violations.extend(wrong.map(|description| FieldViolation::new(field, description)));
        };
        check("display_name", wrong_name(display_name));
        check("email", wrong_email(email));
        if !violations.is_empty() {
            return Err(AthletesError::Invalid(violations));
        }
        let athlete = NewAthlete {
            // Version 7 grows with time, so that the primary key is filled in order.
            athlete_id: Uuid::now_v7(),
            display_name: display_name.to_owned(),
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
        filter: StateFilter,
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

fn wrong_name(name: &str) -> Option<&'static str> {
    if name.is_empty() || name.chars().count() > MAX_NAME {
        return Some("must have 1 to 200 characters");
    }
    name.chars().any(char::is_control).then_some("must not hold control characters")
}

/// Modest on purpose: only a message to it proves an address.
fn wrong_email(email: &str) -> Option<&'static str> {
    let shape = email.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && !domain.is_empty()
            && !domain.contains('@')
            && !domain.starts_with('.')
            && !domain.ends_with('.')
            && !domain.contains("..")
    });
    let letters = email.chars().all(|c| !c.is_whitespace() && !c.is_control());
    if !shape || !letters {
        return Some("must look like name@example.org");
    }
    (email.len() > MAX_EMAIL).then_some("must have at most 254 bytes")
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use mockall::predicate::{always, eq};

    use super::*;
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
        let ada = Athletes::new(Arc::new(repository))
            .register(" Ada ", "ada@example.org\n")
            .await
            .unwrap();
        assert_eq!((ada.display_name.as_str(), ada.email.as_str()), ("Ada", "ada@example.org"));
        assert_eq!(ada.athlete_id.get_version_num(), 7);
    }

    #[tokio::test]
    async fn every_wrong_field_is_named_and_nothing_is_written() {
        let service = Athletes::new(Arc::new(MockAthletesRepository::new()));
        let error = service.register("  ", "nobody").await.unwrap_err();
        let AthletesError::Invalid(violations) = error else { panic!("{error:?}") };
        let fields: Vec<_> = violations.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, ["display_name", "email"]);
        for email in ["", "@", "a@", "@b", "a@b@c", "a b@c.d", "a@.c", "a@c.", "a@b..c", "a\0@b"] {
            assert!(wrong_email(email).is_some(), "{email:?}");
        }
        for email in ["a@b", "first.last+tag@sub.example.org", "ä@例え.jp"] {
            assert!(wrong_email(email).is_none(), "{email:?}");
        }
        assert!(wrong_name(&"é".repeat(200)).is_none());
        assert!(wrong_name(&"é".repeat(201)).is_some());
    }

    #[tokio::test]
    async fn a_page_asks_for_one_more_and_cuts_it() {
        let ids = [Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7()];
        let mut repository = MockAthletesRepository::new();
        repository.expect_list().with(eq(StateFilter::Any), always(), eq(3)).returning(
            move |_, _, _| {
                let new = |id| NewAthlete {
                    athlete_id: id,
                    display_name: String::new(),
                    email: String::new(),
                };
                Ok(ids.iter().map(|id| athlete(&new(*id))).collect())
            },
        );
        let page =
            Athletes::new(Arc::new(repository)).list(StateFilter::Any, None, 2).await.unwrap();
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
