#![allow(clippy::unwrap_used)]
use super::*;

/// `openssl genpkey -algorithm ed25519 | openssl pkcs8 -topk8 -scrypt -scrypt_N 1024 -passout pass:knot`
const BY_OPENSSL_SCRYPT: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGTME8GCSqGSIb3DQEFDTBCMCEGCSsGAQQB2kcECzAUBAiSD+/7q9VNFgICBAAC
AQgCAQEwHQYJYIZIAWUDBAEqBBCK1SD7m4+YIGBMFMLDHTn+BEDrtQ9T3bazEXe/
yEf5fK3XpJz95RYLu5ky+E1surBkGS/85c3dkN+bKcbpvGizFLyKqR+AdwlJaoJQ
A+reFDJ5
-----END ENCRYPTED PRIVATE KEY-----
";
/// The same key by `openssl pkcs8 -topk8 -iter 1000` (PBKDF2).
const BY_OPENSSL_PBKDF2: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhGODHVWjmP5gICA+gw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEE4kGdLWvGEMdtsbqibLM9EEQOOO
DhjtvobmsOKfcIUhQXTTHaT5a6Ifa8lbTGGJYD24D/kpY9XARRHrI34b7G66aPs+
6PtjakGt43g+dDG/SSs=
-----END ENCRYPTED PRIVATE KEY-----
";
const ITS_PUBLIC_KEY: &str = "82cfcfb3e9a7c3aab972ba1a2b4d0c1a13b2a69576aff0b2219f021fa007f253";

#[test]
fn what_openssl_wrote_is_read() {
    for pem in [BY_OPENSSL_SCRYPT, BY_OPENSSL_PBKDF2] {
        let key = open(pem, "knot").unwrap();
        assert_eq!(key.public().to_string(), ITS_PUBLIC_KEY);
    }
}

#[test]
fn a_key_comes_back_only_with_its_passphrase() {
    let key = entropy::secret_key();
    let pem = seal(&key, "結び", Hardness::TEST_ONLY).unwrap();
    assert_eq!(open(&pem, "結び").unwrap().public(), key.public());
    // Several wrong ones: some leave good padding behind.
    for n in 0..600 {
        let error = open(&pem, &format!("wrong {n}")).unwrap_err();
        assert_eq!(error.code(), "wrong_passphrase", "passphrase {n}");
    }
    assert_eq!(open(&pem, "").unwrap_err().code(), "wrong_passphrase");
    let empty = seal(&key, "", Hardness::TEST_ONLY).unwrap_err();
    assert_eq!(empty.code(), "empty_passphrase");
}

#[test]
fn what_is_no_encrypted_key_is_refused() {
    let plain = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----
";
    assert_eq!(open(plain, "x").unwrap_err().code(), "key_not_encrypted");
    assert_eq!(open("rubbish", "x").unwrap_err().code(), "bad_key_file");
    let cut = &BY_OPENSSL_SCRYPT[..200];
    assert_eq!(open(cut, "knot").unwrap_err().code(), "bad_key_file");
}

#[test]
fn the_standard_is_what_openssl_reads_by_default() {
    let key = SecretKey::from_seed(&[7; 32]);
    let pem = seal(&key, "knot", Hardness::STANDARD).unwrap();
    assert_eq!(open(&pem, "knot").unwrap().public(), key.public());
}

#[test]
fn files_are_private_and_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("holder.pem");
    let key = entropy::secret_key();
    write(&path, &key, "knot", Hardness::TEST_ONLY).unwrap();
    assert_eq!(read(&path, "knot").unwrap().public(), key.public());
    let again = write(&path, &key, "knot", Hardness::TEST_ONLY).unwrap_err();
    assert_eq!(again.code(), "key_file_exists");
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "no temporary file stays behind");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(read(&path, "knot").unwrap_err().code(), "key_file_exposed");
    }
    let missing = read(&folder.path().join("none.pem"), "knot").unwrap_err();
    assert_eq!(missing.code(), "key_file_io");
}
