//! The law behind a datum, and texts in the languages of the system.

use legalstat_proto::common::v1 as proto;

use crate::told::Language;

/// One text in Kazakh, Russian and English; an empty language is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct LocalizedText {
    /// Kazakh.
    pub kk: String,
    /// Russian.
    pub ru: String,
    /// English.
    pub en: String,
}

impl LocalizedText {
    /// A text in all three languages.
    pub fn new(kk: impl Into<String>, ru: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            kk: kk.into(),
            ru: ru.into(),
            en: en.into(),
        }
    }
}

/// The law that a datum or a decision rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct LegalBasis {
    /// The act, for example "Instruction".
    pub act: String,
    /// Its article or paragraph, for example "para 7".
    pub provision: String,
    /// Where it can be read; empty when unknown.
    pub uri: String,
    /// True when no source was found for the rule.
    pub assumed: bool,
}

/// Where the Instruction can be read.
pub const INSTRUCTION_URI: &str = "https://adilet.zan.kz/rus/docs/V1900018554";

/// Where the acts that the registers cite can be read.
const ACTS: [(&str, &str); 5] = [
    ("Instruction", INSTRUCTION_URI),
    ("Labour Code", "https://adilet.zan.kz/rus/docs/K1500000414"),
    ("Code 350-VI", "https://adilet.zan.kz/rus/docs/K2000000350"),
    ("Law No. 221", "https://adilet.zan.kz/rus/docs/Z070000221_"),
    (
        "Constitutional Law 155-VII",
        "https://adilet.zan.kz/rus/docs/Z2200000155",
    ),
];

/// The page of an act in this language: the register of acts has them all in Kazakh and Russian, and some in English, so that who
/// reads English is led to the Russian one.
pub(crate) fn page(uri: &str, language: Language) -> String {
    match language {
        Language::Kk => uri.replace("/rus/docs/", "/kaz/docs/"),
        Language::Ru | Language::En => uri.to_owned(),
    }
}

impl LegalBasis {
    /// A provision of the Instruction, for example "para 7".
    pub fn instruction(provision: impl Into<String>) -> Self {
        Self {
            act: "Instruction".into(),
            provision: provision.into(),
            uri: INSTRUCTION_URI.into(),
            assumed: false,
        }
    }

    /// The law of a row, from the four columns that every table keeps it in.
    pub fn of_row(act: String, provision: String, uri: String, assumed: bool) -> Self {
        Self {
            act,
            provision,
            uri,
            assumed,
        }
    }

    /// The same provision, but the rule drawn from it is assumed.
    pub fn assumed(mut self) -> Self {
        self.assumed = true;
        self
    }

    /// Reads the registers' notation: `Instruction, para 12(1); Appendix 1`, with `assumed: ` in front where it is so.
    pub fn parse(notation: &str) -> Self {
        let (assumed, rest) = match notation.strip_prefix("assumed: ") {
            Some(rest) => (true, rest),
            None => (false, notation),
        };
        let (act, provision) = rest.split_once(", ").unwrap_or((rest, ""));
        let uri = Self::source(act).unwrap_or_default();
        Self {
            act: act.into(),
            provision: provision.into(),
            uri: uri.into(),
            assumed,
        }
    }

    /// Where the act of a citation such as `Instruction, para 13` can be read, if it is known.
    pub fn source(citation: &str) -> Option<&'static str> {
        let act = citation.split(", ").next().unwrap_or_default();
        ACTS.iter().find(|(name, _)| *name == act).map(|(_, uri)| *uri)
    }

    /// The act with its provision, for example `Instruction, para 13`, whether assumed or not.
    pub fn citation(&self) -> String {
        let comma = if self.provision.is_empty() { "" } else { ", " };
        format!("{}{comma}{}", self.act, self.provision)
    }

    /// Writes the registers' notation, which [`LegalBasis::parse`] reads.
    pub fn notation(&self) -> String {
        let assumed = if self.assumed { "assumed: " } else { "" };
        format!("{assumed}{}", self.citation())
    }
}

impl std::fmt::Display for LegalBasis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.citation())?;
        if self.assumed {
            f.write_str(" (assumed)")?;
        }
        Ok(())
    }
}

impl From<LocalizedText> for proto::LocalizedText {
    fn from(LocalizedText { kk, ru, en }: LocalizedText) -> Self {
        Self { kk, ru, en }
    }
}

impl From<proto::LocalizedText> for LocalizedText {
    fn from(proto::LocalizedText { kk, ru, en }: proto::LocalizedText) -> Self {
        Self { kk, ru, en }
    }
}

impl From<LegalBasis> for proto::LegalBasis {
    fn from(
        LegalBasis {
            act,
            provision,
            uri,
            assumed,
        }: LegalBasis,
    ) -> Self {
        Self {
            act,
            provision,
            uri,
            assumed,
        }
    }
}

impl From<proto::LegalBasis> for LegalBasis {
    fn from(
        proto::LegalBasis {
            act,
            provision,
            uri,
            assumed,
        }: proto::LegalBasis,
    ) -> Self {
        Self {
            act,
            provision,
            uri,
            assumed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_law_of_a_row_is_the_law_that_was_stored() {
        let basis = LegalBasis::parse("assumed: Labour Code, art. 84(5)");
        let LegalBasis {
            act,
            provision,
            uri,
            assumed,
        } = basis.clone();
        assert_eq!(LegalBasis::of_row(act, provision, uri, assumed), basis);
    }

    #[test]
    fn the_registers_notation_is_read() {
        let basis = LegalBasis::parse("assumed: Instruction, para 13, whose sentence follows para 12");
        assert!(basis.assumed);
        assert_eq!(
            (basis.act.as_str(), basis.provision.as_str()),
            ("Instruction", "para 13, whose sentence follows para 12")
        );
        assert_eq!(
            LegalBasis::parse("Instruction, para 13").to_string(),
            "Instruction, para 13"
        );
        for notation in [
            "assumed: Instruction, para 13",
            "Labour Code, art. 84(5)",
            "Instruction",
        ] {
            assert_eq!(LegalBasis::parse(notation).notation(), notation);
        }
    }
}
