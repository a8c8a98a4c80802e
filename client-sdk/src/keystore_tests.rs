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

/// As `openssl pkcs8 -topk8 -scrypt -scrypt_N .. -scrypt_r .. -scrypt_p ..` would write it, at no cost.
fn asking_for(n: u64, r: u16, p: u16) -> String {
    use pkcs8::der::{Encode, asn1::OctetStringRef};
    let salt = [1; 16];
    let key = pbes2::Parameters::generate_scrypt_aes256cbc(
        scrypt::Params::new(4, 8, 1).unwrap(),
        &salt,
        [2; 16],
    );
    let mut pbes2 = key.unwrap();
    let pbes2::Kdf::Scrypt(kdf) = &mut pbes2.kdf else { panic!("scrypt was asked for") };
    (kdf.cost_parameter, kdf.block_size, kdf.parallelization) = (n, r, p);
    let info = pkcs8::EncryptedPrivateKeyInfoRef {
        encryption_algorithm: pkcs8::pkcs5::EncryptionScheme::Pbes2(pbes2),
        encrypted_data: OctetStringRef::new(&[3; 64]).unwrap(),
    };
    let der = SecretDocument::try_from(info.to_der().unwrap()).unwrap();
    der.to_pem(ENCRYPTED_LABEL, LineEnding::LF).unwrap().to_string()
}

#[test]
fn a_hostile_file_costs_neither_all_memory_nor_for_ever() {
    let begun = std::time::Instant::now();
    // First what no bound on each number alone refuses: 4 GiB, sixteen times.
    let greedy = [(1 << 20, 32, 16), (1 << 20, 8, 5), (1 << 24, 1, 1), (1 << 11, 8, u16::MAX)];
    for (n, r, p) in greedy.into_iter().chain([(2, 1_024, u16::MAX)]) {
        let error = open(&asking_for(n, r, p), "knot").unwrap_err();
        assert_eq!(error.code(), "bad_key_file", "N {n}, r {r}, p {p}: {error}");
    }
    assert!(begun.elapsed() < std::time::Duration::from_secs(2));
    let error = open(&asking_for(16, 8, 5), "knot").unwrap_err();
    assert_eq!(error.code(), "wrong_passphrase", "what is cheap is tried");
    let Hardness { log_n, r, p } = Hardness::STANDARD;
    assert!(!Hardness::is_excessive(1 << log_n, r.into(), p.into()));
    // N · p of at least 2^16 with r = 8, in one of OWASP's equal settings.
    assert_eq!((log_n, r, p), (14, 8, 5));
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
