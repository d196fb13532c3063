//! Pages of a list: sizes within bounds, and tokens that only fit the query they came from (AIP-158).

use legalstat_proto::common::v1::ErrorReason;
use tonic::Code;

use crate::{FieldReason, Refusal, Violations, door::wire};

/// The most items a page can have.
pub const MAX_PAGE_SIZE: i32 = 1000;

/// Which page of which query.
#[derive(Debug)]
pub struct Page {
    /// How many items, 1 to 1000.
    pub size: usize,
    /// The last key of the previous page; `None` for the first page.
    pub after: Option<String>,
    query: [u8; 8],
}

impl Page {
    /// Reads the page fields of a request. `query` holds everything else that shapes the list: its filters and order.
    ///
    /// # Errors
    /// A token that does not belong to the query.
    pub fn parse(
        violations: &mut Violations,
        size: i32,
        default: usize,
        token: &str,
        query: &[&str],
    ) -> Result<Self, Refusal> {
        let size = match size {
            0 => default,
            1..=MAX_PAGE_SIZE => size.unsigned_abs() as usize,
            _ => {
                violations.add("page_size", FieldReason::OutOfRange, format!("0 to {MAX_PAGE_SIZE}"));
                default
            }
        };
        let query = digest(query);
        let after = match token {
            "" => None,
            token => Some(decode(token, query).ok_or_else(invalid)?),
        };
        Ok(Self { size, after, query })
    }

    /// How many rows to fetch: one more than the page shows, to learn whether another page follows.
    pub fn limit(&self) -> i64 {
        i64::try_from(self.size).expect("at most 1000") + 1
    }

    /// Reads the key of the previous page's last row as `T`.
    ///
    /// # Errors
    /// A token whose key is not of this type.
    pub fn after<T: std::str::FromStr>(&self) -> Result<Option<T>, Refusal> {
        self.after
            .as_deref()
            .map(|key| key.parse().map_err(|_| invalid()))
            .transpose()
    }

    /// The token of the page that begins after the row with this key, for a page that ends before it is full.
    pub fn token(&self, key: &str) -> String {
        encode(key, self.query)
    }

    /// Cuts the rows to the page and gives the token of the next one, empty at the end. `key` must order like the list.
    pub fn cut<T>(&self, mut rows: Vec<T>, key: impl Fn(&T) -> String) -> (Vec<T>, String) {
        if rows.len() <= self.size {
            return (rows, String::new());
        }
        rows.truncate(self.size);
        let token = rows
            .last()
            .map(|last| encode(&key(last), self.query))
            .unwrap_or_default();
        (rows, token)
    }
}

fn digest(query: &[&str]) -> [u8; 8] {
    let digest = wire::sha256(query.join("\u{1f}").as_bytes());
    let mut short = [0; 8];
    short.copy_from_slice(&digest[..8]);
    short
}

fn encode(key: &str, query: [u8; 8]) -> String {
    hex::encode([query.as_slice(), key.as_bytes()].concat())
}

fn decode(token: &str, query: [u8; 8]) -> Option<String> {
    let bytes = hex::decode(token).ok()?;
    let key = String::from_utf8(bytes.strip_prefix(query.as_slice())?.to_vec()).ok()?;
    (!key.chars().any(char::is_control)).then_some(key)
}

/// That a token is not one of this query.
pub fn invalid() -> Refusal {
    Refusal::new(
        Code::InvalidArgument,
        ErrorReason::PageTokenInvalid,
        "the page token does not belong to this query; begin again without one",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leads_to_the_next_page_of_its_own_query_only() {
        let mut violations = Violations::new();
        let page = Page::parse(&mut violations, 2, 10, "", &["a"]).expect("no token");
        let (rows, token) = page.cut(vec![1, 2, 3], ToString::to_string);
        assert_eq!(rows, [1, 2]);
        let next = Page::parse(&mut violations, 2, 10, &token, &["a"]).expect("its own query");
        assert_eq!(next.after::<i32>().expect("a number"), Some(2));
        assert!(Page::parse(&mut violations, 2, 10, &token, &["b"]).is_err());
        for forged in ["zz", "00", &format!("{token}00"), &token[..16]] {
            let page = Page::parse(&mut violations, 2, 10, forged, &["a"]);
            assert!(
                page.is_err() || page.is_ok_and(|page| page.after::<i32>().is_err()),
                "{forged}"
            );
        }
        assert!(violations.is_empty());
    }
}
