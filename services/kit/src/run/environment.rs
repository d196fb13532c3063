//! Settings from the environment. Every `LEGALSTAT_…` name must be known to the service: a misspelt one stops the start.

use std::{collections::BTreeMap, str::FromStr};

/// The `LEGALSTAT_…` settings given to one service. Reading a name marks it as known.
#[derive(Clone, Default)]
pub struct Environment {
    given: BTreeMap<String, String>,
    known: Vec<&'static str>,
}

/// Settings that stop the start.
#[derive(Debug, thiserror::Error)]
pub enum SettingError {
    /// A required setting is not there.
    #[error("{0} is not set")]
    Missing(&'static str),
    /// A setting has a value that cannot be used. The value itself is not shown: it may be a secret.
    #[error("{name} has an unusable value: {problem}")]
    Unusable {
        /// The setting.
        name: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// Settings that no part of the service knows.
    #[error("unknown settings: {unknown}; known are {known}")]
    Unknown {
        /// The unknown names.
        unknown: String,
        /// The known names.
        known: String,
    },
}

impl Environment {
    /// The settings of this process.
    pub fn of_process() -> Self {
        let own = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        let own = own.filter(|(name, _)| name.starts_with("LEGALSTAT_"));
        Self::given(own.map(|(name, value)| (name, value.to_string_lossy().into_owned())))
    }

    /// Settings made up by the caller, for services that run inside another process.
    pub fn given(settings: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>) -> Self {
        let given = settings
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        Self {
            given,
            known: Vec::new(),
        }
    }

    /// An optional setting; an empty value counts as not set.
    pub fn optional(&mut self, name: &'static str) -> Option<String> {
        self.known.push(name);
        self.given.get(name).filter(|value| !value.is_empty()).cloned()
    }

    /// A required setting.
    pub fn required(&mut self, name: &'static str) -> Result<String, SettingError> {
        self.optional(name).ok_or(SettingError::Missing(name))
    }

    /// A setting with a default, parsed.
    pub fn parsed<T: FromStr>(&mut self, name: &'static str, default: T) -> Result<T, SettingError>
    where
        T::Err: std::fmt::Display,
    {
        match self.optional(name) {
            None => Ok(default),
            Some(value) => value.parse().map_err(|problem: T::Err| SettingError::Unusable {
                name,
                problem: problem.to_string(),
            }),
        }
    }

    /// Refuses the names that nothing has read.
    pub fn refuse_unknown(&self) -> Result<(), SettingError> {
        let unknown: Vec<&str> = self
            .given
            .keys()
            .map(String::as_str)
            .filter(|name| !self.known.contains(name))
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        Err(SettingError::Unknown {
            unknown: unknown.join(", "),
            known: self.known.join(", "),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_setting_is_named() {
        let mut environment = Environment::given([("LEGALSTAT_LISTNE", "127.0.0.1:1")]);
        environment.optional("LEGALSTAT_LISTEN");
        let refusal = environment
            .refuse_unknown()
            .expect_err("the name is misspelt")
            .to_string();
        assert!(
            refusal.contains("LEGALSTAT_LISTNE") && refusal.contains("LEGALSTAT_LISTEN"),
            "{refusal}"
        );
    }

    #[test]
    fn an_unusable_value_is_not_shown() {
        let mut environment = Environment::given([("LEGALSTAT_FILE_LIMIT", "secret")]);
        let refusal = environment
            .parsed("LEGALSTAT_FILE_LIMIT", 1_u64)
            .expect_err("not a number")
            .to_string();
        assert!(
            refusal.contains("LEGALSTAT_FILE_LIMIT") && !refusal.contains("secret"),
            "{refusal}"
        );
    }
}
