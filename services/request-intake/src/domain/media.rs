//! What a file's first bytes look like, where that is known, and whether it is what its media type says.

/// How many of a file's first bytes are looked at.
pub const LOOKED_AT: usize = 4096;

/// What a caller says of a file that says nothing.
const ANY: &str = "application/octet-stream";

/// Kinds of content that are known by their first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Looks {
    Pdf,
    Png,
    Jpeg,
    Gif,
    Tiff,
    Bmp,
    Webp,
    Zip,
    SevenZip,
    Rar,
    Gzip,
    Rtf,
    Compound,
    Cms,
    Executable,
    Xml,
    Html,
}

impl Looks {
    const ALL: [Self; 17] = [
        Self::Pdf,
        Self::Png,
        Self::Jpeg,
        Self::Gif,
        Self::Tiff,
        Self::Bmp,
        Self::Webp,
        Self::Zip,
        Self::SevenZip,
        Self::Rar,
        Self::Gzip,
        Self::Rtf,
        Self::Compound,
        Self::Cms,
        Self::Executable,
        Self::Xml,
        Self::Html,
    ];

    /// The media type that a file of this kind has when nothing is said.
    const fn name(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Gif => "image/gif",
            Self::Tiff => "image/tiff",
            Self::Bmp => "image/bmp",
            Self::Webp => "image/webp",
            Self::Zip => "application/zip",
            Self::SevenZip => "application/x-7z-compressed",
            Self::Rar => "application/vnd.rar",
            Self::Gzip => "application/gzip",
            Self::Rtf => "application/rtf",
            Self::Compound => "application/x-ole-storage",
            Self::Cms => "application/pkcs7-mime",
            Self::Executable => "application/x-executable",
            Self::Xml => "application/xml",
            Self::Html => "text/html",
        }
    }

    /// Whether a file of this media type looks so.
    fn is_of(self, media_type: &str) -> bool {
        match self {
            // Packages of offices, and of anything else.
            Self::Zip => {
                [
                    "application/zip",
                    "application/x-zip-compressed",
                    "application/epub+zip",
                    "application/java-archive",
                ]
                .contains(&media_type)
                    || media_type.starts_with("application/vnd.openxmlformats-officedocument.")
                    || media_type.starts_with("application/vnd.oasis.opendocument.")
                    || media_type.ends_with("+zip")
                    || media_type.contains("macroenabled")
            }
            Self::Compound => [
                "application/msword",
                "application/vnd.ms-excel",
                "application/vnd.ms-powerpoint",
                "application/vnd.ms-outlook",
                "application/x-ole-storage",
                "application/x-msi",
            ]
            .contains(&media_type),
            Self::Cms => [
                "application/pkcs7-mime",
                "application/pkcs7-signature",
                "application/x-pkcs7-mime",
                "application/x-pkcs7-signature",
                "application/cms",
            ]
            .contains(&media_type),
            Self::Rtf => ["application/rtf", "text/rtf", "application/msword"].contains(&media_type),
            Self::Rar => [
                "application/vnd.rar",
                "application/x-rar-compressed",
                "application/x-rar",
            ]
            .contains(&media_type),
            Self::Gzip => ["application/gzip", "application/x-gzip"].contains(&media_type),
            Self::Jpeg => ["image/jpeg", "image/jpg"].contains(&media_type),
            Self::Bmp => ["image/bmp", "image/x-ms-bmp"].contains(&media_type),
            Self::Xml => {
                ["application/xml", "text/xml", "text/plain"].contains(&media_type) || media_type.ends_with("+xml")
            }
            Self::Html => ["text/html", "application/xhtml+xml", "text/plain"].contains(&media_type),
            Self::Executable => [
                "application/x-executable",
                "application/x-msdownload",
                "application/vnd.microsoft.portable-executable",
            ]
            .contains(&media_type),
            Self::Pdf | Self::Png | Self::Gif | Self::Tiff | Self::Webp | Self::SevenZip => media_type == self.name(),
        }
    }

    /// Whether every file of this kind begins as known here, so that one that does not is none.
    const fn is_always_known(self) -> bool {
        !matches!(self, Self::Xml | Self::Html | Self::Cms | Self::Executable)
    }
}

fn looks(first: &[u8]) -> Option<Looks> {
    let begins = |magic: &[u8]| first.starts_with(magic);
    let text = String::from_utf8_lossy(&first[..first.len().min(512)]).to_ascii_lowercase();
    let text = text.trim_start_matches('\u{feff}').trim_start();
    Some(match () {
        () if begins(b"%PDF-") => Looks::Pdf,
        () if begins(b"\x89PNG\r\n\x1a\n") => Looks::Png,
        () if begins(b"\xff\xd8\xff") => Looks::Jpeg,
        () if begins(b"GIF87a") || begins(b"GIF89a") => Looks::Gif,
        () if begins(b"II*\0") || begins(b"MM\0*") => Looks::Tiff,
        () if begins(b"RIFF") && first.get(8..12) == Some(b"WEBP") => Looks::Webp,
        () if begins(b"PK\x03\x04") || begins(b"PK\x05\x06") => Looks::Zip,
        () if begins(b"7z\xbc\xaf\x27\x1c") => Looks::SevenZip,
        () if begins(b"Rar!\x1a\x07") => Looks::Rar,
        () if begins(b"\x1f\x8b\x08") => Looks::Gzip,
        () if begins(b"{\\rtf") => Looks::Rtf,
        () if begins(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") => Looks::Compound,
        () if is_container(first) => Looks::Cms,
        () if begins(b"\x7fELF") || (begins(b"MZ") && first.len() > 64 && first.contains(&0)) => Looks::Executable,
        () if begins(b"BM") && first.get(6..10) == Some(&[0; 4]) => Looks::Bmp,
        () if text.starts_with("<?xml") => Looks::Xml,
        () if text.starts_with("<!doctype html") || text.starts_with("<html") => Looks::Html,
        () => return None,
    })
}

/// Whether bytes begin as a CMS container with signatures: in DER or BER, or in PEM.
pub fn is_container(first: &[u8]) -> bool {
    /// The identifier of signed data, as it is encoded.
    const SIGNED_DATA: [u8; 11] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
    let within = &first[..first.len().min(24)];
    let is_binary =
        within.first() == Some(&0x30) && within.windows(SIGNED_DATA.len()).any(|bytes| bytes == SIGNED_DATA);
    is_binary || first.starts_with(b"-----BEGIN CMS-----") || first.starts_with(b"-----BEGIN PKCS7-----")
}

/// The media type of a file that begins so and is said to be of a type, in lower case.
///
/// # Errors
/// What it looks like instead.
pub fn of(said: &str, first: &[u8]) -> Result<String, &'static str> {
    let said = said.to_ascii_lowercase();
    let looks = looks(first);
    if said.is_empty() || said == ANY {
        return Ok(looks.map_or(ANY, Looks::name).to_owned());
    }
    match looks {
        Some(looks) if looks.is_of(&said) => Ok(said),
        Some(looks) => Err(looks.name()),
        None if said.starts_with("text/") && first.contains(&0) => Err(ANY),
        None if Looks::ALL
            .iter()
            .any(|known| known.is_always_known() && known.is_of(&said)) =>
        {
            Err(ANY)
        }
        None => Ok(said),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

    #[test]
    fn what_says_nothing_is_what_it_looks_like() {
        for (first, expected) in [
            (&b"%PDF-1.7\n"[..], "application/pdf"),
            (b"PK\x03\x04...", "application/zip"),
            (b"\xff\xd8\xff\xe0", "image/jpeg"),
            (b"plain words", ANY),
            (b"", ANY),
        ] {
            assert_eq!(of("", first), Ok(expected.to_owned()));
            assert_eq!(of(ANY, first), Ok(expected.to_owned()));
        }
    }

    #[test]
    fn what_is_said_is_kept_where_the_bytes_agree_or_say_nothing() {
        for (said, first) in [
            ("application/pdf", &b"%PDF-1.4"[..]),
            ("Application/PDF", b"%PDF-1.4"),
            (DOCX, b"PK\x03\x04"),
            ("application/vnd.oasis.opendocument.text", b"PK\x03\x04"),
            ("application/msword", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
            ("application/msword", b"{\\rtf1"),
            ("image/svg+xml", b"<?xml version='1.0'?><svg/>"),
            ("text/csv", b"a;b\n1;2\n"),
            ("text/plain", "Өтініш".as_bytes()),
            ("text/plain", b"BMW and MZ are no signs of a picture or of a program"),
            ("application/x-of-our-own", b"\x00\x01\x02"),
            ("application/pkcs7-signature", b"-----BEGIN CMS-----\n"),
        ] {
            assert_eq!(of(said, first), Ok(said.to_ascii_lowercase()), "{said}");
        }
    }

    #[test]
    fn what_looks_otherwise_is_told() {
        for (said, first, looks) in [
            (
                "application/pdf",
                &b"MZ\x90\0.................................................................."[..],
                "application/x-executable",
            ),
            ("image/png", b"%PDF-1.4", "application/pdf"),
            ("application/pdf", b"no pdf at all", ANY),
            ("application/pdf", b"", ANY),
            (DOCX, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
            ("text/plain", b"a\0b", ANY),
            ("text/csv", b"PK\x03\x04", "application/zip"),
            ("application/pdf", b"<!DOCTYPE html><script>", "text/html"),
        ] {
            assert_eq!(of(said, first), Err(looks), "{said}");
        }
    }

    #[test]
    fn a_container_is_known_in_each_of_its_encodings() {
        assert!(is_container(include_bytes!("../signature/fixtures/p256.p7s")));
        assert!(is_container(include_bytes!(
            "../signature/fixtures/enclosing_stream.p7s"
        )));
        assert!(is_container(include_bytes!("../signature/fixtures/pem.p7s")));
        assert!(!is_container(include_bytes!(
            "../signature/fixtures/no_signed_data.p7s"
        )));
        assert!(!is_container(b"%PDF-1.4"));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(said in "[a-z/+.-]{0,30}", first in prop::collection::vec(any::<u8>(), 0..600)) {
            of(&said, &first).ok();
        }
    }
}
