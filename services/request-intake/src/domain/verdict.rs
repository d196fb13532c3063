//! What the verification of an electronic signature comes to. It stands among the rules because they decide by it.

use jiff::Timestamp;

/// What became of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Each signature holds, and each certificate leads to an authority that is trusted. There is at least one signer.
    Valid(Vec<Signer>),
    /// A signature does not hold, or its certificate could not have made it.
    NotValid(Fault),
    /// A signature by an algorithm that cannot be verified here; nothing is said of whether it holds.
    Unsupported(String),
    /// Each signature holds, and the operator trusts no authority: nothing is said of who signed.
    NobodyTrusted,
}

/// Who signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The common name of the certificate, or its whole subject where it has none. It is what the certificate says, at most
    /// 255 characters.
    pub name: String,
    /// The IIN of the person, where the certificate has it as the National Certification Centre writes it.
    pub iin: Option<String>,
    /// The BIN of the organisation, so too.
    pub bin: Option<String>,
    /// The serial number of the certificate, in hexadecimal.
    pub serial_number: String,
    /// SHA-256 of the certificate.
    pub certificate_sha256: [u8; 32],
    /// By which algorithm.
    pub algorithm: String,
    /// When the signer says to have signed; nobody else attests it.
    pub signed_at: Option<Timestamp>,
    /// The subjects of the authorities from the one that issued the certificate to the one that is trusted.
    pub chain: Vec<String>,
    /// Of when the list is by which the certificate was not revoked; none where its issuer's list is not there.
    pub revocations_of: Option<Timestamp>,
}

/// Why a signature is not valid. Nothing of it repeats what the container holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each says what it is in its message")]
pub enum Fault {
    #[error("the container is over the limit of 16 MiB")]
    TooLarge,
    #[error("it is no CMS container that can be read: {0}")]
    Malformed(&'static str),
    #[error("the container is a CMS container of another kind, without signatures")]
    NotSignedData,
    #[error("the container holds no signature")]
    NoSigner,
    #[error("the container does not enclose what was signed")]
    NoContent,
    #[error("the container encloses other content than the one beside it")]
    OtherContent,
    #[error("the content is not what was signed: its digest differs")]
    OtherDigest,
    #[error("what is signed does not say of which kind the content is, or says another kind than the container")]
    OtherContentType,
    #[error("the container does not hold the signer's certificate")]
    NoCertificate,
    #[error("the signature does not name the certificate that it comes with")]
    OtherCertificate,
    #[error("the signature was not made with the key of the signer's certificate")]
    WrongSignature,
    #[error("the signature says that it was made after it was received")]
    SignedLater,
    #[error("the certificate had expired, or one that it leads to")]
    Expired,
    #[error("the certificate was not valid yet, or one that it leads to")]
    NotValidYet,
    #[error("the certificate was revoked, or one that it leads to")]
    Revoked,
    #[error("the certificate is not one for signing")]
    NotForSigning,
    #[error("the certificate does not lead to an authority that is trusted")]
    NotTrusted,
    #[error("the certificate cannot be used")]
    UnusableCertificate,
}
