//! What is told of a signature, in three languages.

use legalstat_kit::law::LocalizedText;

use super::verdict::{Fault, Signer, Verdict};
use super::{
    attachment::{self, Attachment, Signed},
    request::Requester,
};

/// What the examination finds of a request's signature.
pub(super) enum Signature {
    /// There is none to look at.
    None(LocalizedText),
    /// It is valid, and its certificate does not tell whether the requester's.
    Valid,
    /// It is valid, and the requester's.
    OfRequester,
    /// Nothing is known to be wrong with it, and it is not known to be valid.
    Unverified(LocalizedText),
    /// It is not valid, or another's, or missing where one should be.
    NotValid(LocalizedText),
}

impl Signature {
    pub(super) fn of(attachments: &[Attachment], requester: &Requester) -> Self {
        let verified = match attachment::signed(attachments) {
            Signed::NoOriginal => return Self::None(no_original()),
            Signed::Unsigned => return Self::NotValid(unsigned()),
            Signed::Verified(verified) => verified,
        };
        if let Verdict::Valid(signers) = verified {
            return match is_of(signers, requester) {
                None => Self::Valid,
                Some(true) => Self::OfRequester,
                Some(false) => Self::NotValid(of_another()),
            };
        }
        match reason(verified) {
            None => Self::Valid,
            Some(why) if matches!(verified, Verdict::NotValid(_)) => Self::NotValid(why),
            Some(why) => Self::Unverified(why),
        }
    }
}

/// Whether one of the signers is the requester, by the BIN of a body or the IIN of a person; none where requester or certificates do not
/// have it.
fn is_of(signers: &[Signer], requester: &Requester) -> Option<bool> {
    let (own, of): (&str, fn(&Signer) -> Option<&String>) = match (&requester.bin, &requester.iin) {
        (Some(bin), _) => (bin, |signer| signer.bin.as_ref()),
        (None, Some(iin)) => (iin, |signer| signer.iin.as_ref()),
        (None, None) => return None,
    };
    let mut told = signers.iter().filter_map(of).peekable();
    told.peek()?;
    Some(told.any(|number| number == own))
}

/// That the signature is valid, and by whom.
pub(super) fn of_requester() -> LocalizedText {
    LocalizedText::new(
        "Қол қойылған түпнұсқаның электрондық цифрлық қолтаңбасы жарамды, сертификатта өтініш берушінің нөмірі көрсетілген.",
        "Электронная цифровая подпись подписанного оригинала действительна, в сертификате указан номер заявителя.",
        "The electronic signature of the signed original is valid, and its certificate bears the number of the requester.",
    )
}

/// That a valid signature is somebody else's.
fn of_another() -> LocalizedText {
    LocalizedText::new(
        "Сертификатта басқа тұлғаның немесе ұйымның нөмірі көрсетілген.",
        "В сертификате указан номер другого лица или другой организации.",
        "The certificate bears the number of another person or organisation.",
    )
}

/// That the signature of the signed original is valid, and no more: anybody's is who has a certificate.
pub(super) fn valid() -> LocalizedText {
    LocalizedText::new(
        "Қол қойылған түпнұсқаның электрондық цифрлық қолтаңбасы жарамды. Қол қоюшы өтініш берушімен салыстырылмаған.",
        "Электронная цифровая подпись подписанного оригинала действительна. Подписавший с заявителем не сверялся.",
        "The electronic signature of the signed original is valid. Who signed it was not compared with the requester.",
    )
}

/// That there is no signed original.
fn no_original() -> LocalizedText {
    LocalizedText::new(
        "Электрондық цифрлық қолтаңбасы бар түпнұсқа ұсынылмаған.",
        "Оригинал с электронной цифровой подписью не представлен.",
        "No original with an electronic signature was submitted.",
    )
}

/// That nothing signs the signed original.
fn unsigned() -> LocalizedText {
    LocalizedText::new(
        "Түпнұсқада қолтаңба жоқ.",
        "Оригинал не содержит подписи, и отдельной подписи нет.",
        "The original encloses no signature, and none stands beside it.",
    )
}

/// Why a signature is not told as valid; none for one that is.
pub fn reason(verdict: &Verdict) -> Option<LocalizedText> {
    match verdict {
        Verdict::Valid(_) => None,
        Verdict::NotValid(fault) => Some(of_fault(*fault)),
        Verdict::Unsupported(algorithm) => Some(LocalizedText::new(
            format!("Қолтаңба алгоритміне қолдау көрсетілмейді: {algorithm}."),
            format!("Алгоритм подписи не поддерживается: {algorithm}."),
            format!("The algorithm of the signature is unsupported: {algorithm}."),
        )),
        Verdict::NobodyTrusted => Some(LocalizedText::new(
            "Қолтаңба дұрыс, бірақ бірде-бір куәландырушы орталыққа сенім білдірілмеген.",
            "Подпись верна, но доверенные удостоверяющие центры не заданы.",
            "The signature holds, and no authority is trusted in this installation.",
        )),
    }
}

fn of_fault(fault: Fault) -> LocalizedText {
    let (kk, ru, en) = match fault {
        Fault::TooLarge => (
            "Қолтаңба контейнері тым үлкен.",
            "Контейнер подписи слишком велик.",
            "The container of the signature is too large.",
        ),
        Fault::Malformed(_) => (
            "Қолтаңба контейнері оқылмайды.",
            "Контейнер подписи не читается.",
            "The container of the signature cannot be read.",
        ),
        Fault::NotSignedData => (
            "Бұл CMS контейнері қолтаңбаға арналмаған.",
            "Контейнер CMS другого вида, без подписи.",
            "It is a CMS container of another kind, without signatures.",
        ),
        Fault::NoSigner => (
            "Контейнерде қолтаңба жоқ.",
            "В контейнере нет подписи.",
            "The container holds no signature.",
        ),
        Fault::NoContent => (
            "Контейнерде қол қойылған құжат жоқ.",
            "Контейнер не содержит подписанного документа.",
            "The container does not enclose what was signed.",
        ),
        Fault::OtherContent => (
            "Контейнердегі құжат қасындағы құжаттан өзгеше.",
            "Документ в контейнере отличается от приложенного.",
            "The container encloses another document than the one beside it.",
        ),
        Fault::OtherDigest => (
            "Құжат қол қойылғаннан кейін өзгертілген.",
            "Документ изменён после подписания: хеш не совпадает.",
            "The document is not what was signed: its digest differs.",
        ),
        Fault::OtherContentType => (
            "Қол қойылған мазмұнның түрі көрсетілгеннен өзгеше.",
            "Вид подписанного содержимого не тот, который указан.",
            "What was signed is of another kind than the container says.",
        ),
        Fault::NoCertificate => (
            "Контейнерде қол қоюшының сертификаты жоқ.",
            "Контейнер не содержит сертификата подписавшего.",
            "The container does not hold the signer's certificate.",
        ),
        Fault::OtherCertificate => (
            "Қолтаңба басқа сертификатқа сілтейді.",
            "Подпись указывает на другой сертификат.",
            "The signature names another certificate than it comes with.",
        ),
        Fault::WrongSignature => (
            "Қолтаңба сертификаттың кілтімен жасалмаған.",
            "Подпись сделана не ключом сертификата.",
            "The signature was not made with the key of the certificate.",
        ),
        Fault::SignedLater => (
            "Қол қою уақыты келіп түскен уақыттан кейін.",
            "Время подписания позже времени поступления.",
            "The signature says that it was made after it was received.",
        ),
        Fault::Expired => (
            "Сертификаттың мерзімі өткен.",
            "Срок действия сертификата истёк.",
            "The certificate, or one that it leads to, had expired.",
        ),
        Fault::NotValidYet => (
            "Сертификат әлі күшіне енбеген.",
            "Сертификат ещё не действовал.",
            "The certificate, or one that it leads to, was not valid yet.",
        ),
        Fault::Revoked => (
            "Сертификат кері қайтарып алынған.",
            "Сертификат отозван.",
            "The certificate, or one that it leads to, was revoked.",
        ),
        Fault::NotForSigning => (
            "Сертификат қол қоюға арналмаған.",
            "Сертификат не предназначен для подписи.",
            "The certificate is not one for signing.",
        ),
        Fault::NotTrusted => (
            "Сертификат сенім білдірілген куәландырушы орталыққа апармайды.",
            "Сертификат не ведёт к доверенному удостоверяющему центру.",
            "The certificate does not lead to an authority that is trusted.",
        ),
        Fault::UnusableCertificate => (
            "Сертификатты пайдалану мүмкін емес.",
            "Сертификат непригоден.",
            "The certificate cannot be used.",
        ),
    };
    LocalizedText::new(kk, ru, en)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use legalstat_kit::door::word::Word as _;

    use super::*;

    #[test]
    fn a_signer_is_compared_by_the_number_of_the_requester_where_both_have_it() {
        let (bin, iin, other) = ("160340014245", "911003342906", "940740000911");
        let signer = |iin: Option<&str>, bin: Option<&str>| Signer {
            name: "A".into(),
            iin: iin.map(str::to_owned),
            bin: bin.map(str::to_owned),
            serial_number: "1".into(),
            certificate_sha256: [0; 32],
            algorithm: "RSA".into(),
            signed_at: None,
            chain: Vec::new(),
            revocations_of: None,
        };
        let requester = |bin: Option<&str>, iin: Option<&str>| Requester {
            kind: crate::domain::request::RequesterKind::StateBody,
            full_name: "A".into(),
            bin: bin.map(str::to_owned),
            iin: iin.map(str::to_owned),
            postal_address: String::new(),
        };
        for (signers, asks, expected) in [
            (
                vec![signer(Some(iin), Some(bin))],
                requester(Some(bin), None),
                Some(true),
            ),
            (
                vec![signer(Some(iin), Some(other))],
                requester(Some(bin), None),
                Some(false),
            ),
            (vec![signer(Some(iin), None)], requester(Some(bin), None), None),
            (vec![signer(Some(iin), None)], requester(None, Some(iin)), Some(true)),
            (vec![signer(Some(other), None)], requester(None, Some(iin)), Some(false)),
            (vec![signer(None, None)], requester(None, Some(iin)), None),
            (vec![signer(Some(iin), Some(bin))], requester(None, None), None),
            (
                vec![signer(None, Some(other)), signer(None, Some(bin))],
                requester(Some(bin), None),
                Some(true),
            ),
        ] {
            assert_eq!(is_of(&signers, &asks), expected, "{signers:?} {asks:?}");
        }
    }

    #[test]
    fn each_reason_has_its_own_words_in_three_languages() {
        let mut texts: Vec<_> = Fault::ALL.iter().map(|fault| of_fault(*fault)).collect();
        texts.extend(reason(&Verdict::NobodyTrusted));
        texts.extend([unsigned(), valid(), no_original(), of_requester(), of_another()]);
        for of in [
            |text: &LocalizedText| text.kk.clone(),
            |text: &LocalizedText| text.ru.clone(),
            |text: &LocalizedText| text.en.clone(),
        ] {
            let different: HashSet<String> = texts.iter().map(of).collect();
            assert!(!different.contains("") && different.len() == texts.len());
        }
        let unsupported = reason(&Verdict::Unsupported("GOST".into())).expect("it has one");
        assert!(unsupported.kk.contains("GOST") && unsupported.en.contains("GOST"));
        assert_eq!(reason(&Verdict::Valid(Vec::new())), None);
        assert!(
            valid().en.contains("not compared"),
            "what was not looked at is not told as if it were"
        );
    }
}
