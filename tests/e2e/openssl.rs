//! An official's own signing, outside of the program: keys, certificates and signatures made by `openssl` as its users make them.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// A folder with an authority, and an official whose certificate it signed.
pub(crate) struct Outside(PathBuf);

impl Outside {
    /// Makes keys and certificates in a folder.
    pub(crate) fn make(folder: PathBuf, name: &str) -> Self {
        std::fs::create_dir_all(&folder).expect("the folder is ours");
        let usage = "basicConstraints=CA:false\nkeyUsage=critical,digitalSignature,nonRepudiation\n\
                     extendedKeyUsage=emailProtection\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n";
        std::fs::write(folder.join("usage.cnf"), usage).expect("the folder is ours");
        let outside = Self(folder);
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
        let authority = [
            "req",
            "-x509",
            "-keyout",
            "ca.key",
            "-out",
            "ca.pem",
            "-days",
            "30",
            "-subj",
            "/CN=Authority",
        ];
        outside.run(&[&authority[..], &key].concat());
        let subject = format!("/CN={name}");
        let asked = ["req", "-new", "-keyout", "me.key", "-out", "me.csr", "-subj", &subject];
        outside.run(&[&asked[..], &key].concat());
        outside.run(&[
            "x509",
            "-req",
            "-in",
            "me.csr",
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-out",
            "me.crt",
            "-days",
            "30",
            "-extfile",
            "usage.cnf",
        ]);
        let trust = outside.trust();
        std::fs::create_dir_all(&trust).expect("the folder is ours");
        std::fs::copy(outside.0.join("ca.pem"), trust.join("ca.pem")).expect("it was made");
        outside
    }

    /// The folder of the authority's certificate, for who trusts it.
    pub(crate) fn trust(&self) -> PathBuf {
        self.0.join("trust")
    }

    /// Signs a file, by the command that `requests answer approve` tells.
    pub(crate) fn sign(&self, content: &Path, signature: &Path) {
        let (content, signature) = (content.display().to_string(), signature.display().to_string());
        self.run(&[
            "cms", "-sign", "-binary", "-in", &content, "-signer", "me.crt", "-inkey", "me.key", "-outform", "DER",
            "-out", &signature,
        ]);
    }

    fn run(&self, arguments: &[&str]) {
        run(&self.0, arguments);
    }
}

/// Runs `openssl` in a folder; what it says on standard output.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("openssl").args(arguments).current_dir(folder).output();
    let output = output.expect("openssl is there");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments:?}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
