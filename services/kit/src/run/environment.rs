//! Settings from the environment. Every `LEGALSTAT_…` name must be known to the service: a misspelt one stops the start.

use std::{borrow::Cow, collections::BTreeMap, fs, str::FromStr};

/// The `LEGALSTAT_…` settings given to one service. Reading a name marks it as known.
#[derive(Clone, Default)]
pub struct Environment {
    given: BTreeMap<String, String>,
    known: Vec<Cow<'static, str>>,
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

    /// The settings whose names begin so, for whoever reads them again.
    #[must_use]
    pub fn beginning(&self, with: &str) -> Self {
        let given = self.given.iter().filter(|(name, _)| name.starts_with(with));
        Self::given(given.map(|(name, value)| (name.clone(), value.clone())))
    }

    /// An optional setting; an empty value counts as not set.
    pub fn optional(&mut self, name: &'static str) -> Option<String> {
        self.known.push(name.into());
        self.value(name)
    }

    fn value(&self, name: &str) -> Option<String> {
        self.given.get(name).filter(|value| !value.is_empty()).cloned()
    }

    /// An optional setting that is a secret: given as it is, or as `NAME_FILE`, the path of a file whose text it is, less the end of
    /// its last line. What runs containers shows their environment to whoever may look at them, and not their files.
    ///
    /// # Errors
    /// A secret that is given in both ways, and a file that cannot be read, is no text, or is empty.
    pub fn secret(&mut self, name: &'static str) -> Result<Option<String>, SettingError> {
        let name_of_file = format!("{name}_FILE");
        let (given, file) = (self.optional(name), self.value(&name_of_file));
        self.known.push(name_of_file.clone().into());
        let Some(file) = file else {
            return Ok(given);
        };
        let unusable = |problem: String| SettingError::Unusable { name, problem };
        if given.is_some() {
            return Err(unusable(format!("{name_of_file} is set too; set one of them")));
        }
        let text = fs::read_to_string(&file).map_err(|error| unusable(format!("{name_of_file}, {file}: {error}")))?;
        match text.trim_end_matches(['\r', '\n']) {
            "" => Err(unusable(format!("{name_of_file}, {file}: the file is empty"))),
            text => Ok(Some(text.to_owned())),
        }
    }

    /// A required setting that is a secret.
    ///
    /// # Errors
    /// As [`Environment::secret`], and when it is given in neither way.
    pub fn required_secret(&mut self, name: &'static str) -> Result<String, SettingError> {
        self.secret(name)?.ok_or(SettingError::Missing(name))
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
            .filter(|name| !self.known.iter().any(|known| known == name))
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

    const SECRET: &str = "LEGALSTAT_DATABASE_URL";

    fn secret(settings: &[(&str, &str)]) -> Result<String, SettingError> {
        let mut environment = Environment::given(settings.iter().copied());
        let secret = environment.required_secret(SECRET);
        environment.refuse_unknown()?;
        secret
    }

    #[test]
    fn a_secret_is_given_as_it_is_or_as_a_file_and_never_as_both() {
        let file = tempfile::NamedTempFile::new().expect("there is a folder for temporary files");
        let path = file.path().to_str().expect("it is text");
        fs::write(path, "postgres://a:b@c/d\n").expect("it is there");
        let as_file = ("LEGALSTAT_DATABASE_URL_FILE", path);
        assert_eq!(secret(&[as_file]).ok().as_deref(), Some("postgres://a:b@c/d"));
        assert_eq!(
            secret(&[as_file, (SECRET, "")]).ok().as_deref(),
            Some("postgres://a:b@c/d")
        );
        assert_eq!(secret(&[(SECRET, "as it is")]).ok().as_deref(), Some("as it is"));
        let refusal = secret(&[as_file, (SECRET, "as it is")]).expect_err("it is given twice");
        let told =
            "LEGALSTAT_DATABASE_URL has an unusable value: LEGALSTAT_DATABASE_URL_FILE is set too; set one of them";
        assert_eq!(refusal.to_string(), told);
        let missing = secret(&[]).expect_err("it has no default").to_string();
        assert_eq!(missing, "LEGALSTAT_DATABASE_URL is not set");
    }

    #[test]
    fn a_file_that_holds_no_secret_and_a_misspelt_name_stop_the_start_with_their_names() {
        let folder = tempfile::tempdir().expect("there is a folder for temporary files");
        let path = |name: &str, text: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, text).expect("the folder is writable");
            path.to_string_lossy().into_owned()
        };
        let away = folder.path().join("away").to_string_lossy().into_owned();
        for file in [away, path("empty", b"\n"), path("no-text", b"\xff")] {
            let refusal = secret(&[("LEGALSTAT_DATABASE_URL_FILE", &file)])
                .expect_err(&file)
                .to_string();
            assert!(refusal.contains(SECRET) && refusal.contains(&file), "{refusal}");
        }
        let refusal = secret(&[("LEGALSTAT_DATABASE_URL_FIEL", "a")]).expect_err("the name is misspelt");
        assert!(refusal.to_string().contains("LEGALSTAT_DATABASE_URL_FIEL"), "{refusal}");
    }
}
