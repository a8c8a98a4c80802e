//! The Japanese of documents.

use musubi_ledger::{
    instrument::Regime, lot::OriginKind, party::PartyKind, transaction::Purpose, wallet::Holding,
};

/// What something was for.
#[must_use]
pub fn purpose(purpose: Purpose) -> String {
    match purpose {
        Purpose::NONE => String::new(),
        Purpose::PURCHASE => "購入".into(),
        Purpose::DUES => "会費".into(),
        Purpose::REWARD => "謝金".into(),
        Purpose::EXPENSE => "経費".into(),
        Purpose::PARTICIPATION => "参加費".into(),
        Purpose::GRANT => "補助金・給付".into(),
        Purpose::DONATION => "寄附".into(),
        Purpose(number) => format!("用途{number}"),
    }
}

/// Where value came from.
#[must_use]
pub fn origin(origin: OriginKind) -> &'static str {
    match origin {
        OriginKind::Paid => "有償",
        OriginKind::Free => "無償",
        OriginKind::Grant => "給付",
    }
}

/// In which state it is held.
#[must_use]
pub fn holding(holding: Holding) -> &'static str {
    match holding {
        Holding::Spendable => "利用可能",
        Holding::Held => "保留中",
        Holding::Claim => "換金待ち",
    }
}

/// What a party is.
#[must_use]
pub fn kind(kind: PartyKind) -> &'static str {
    match kind {
        PartyKind::Person => "個人",
        PartyKind::Group => "団体",
        PartyKind::Merchant => "加盟店",
        PartyKind::Issuer => "発行者",
        PartyKind::Registrar => "登録機関",
        PartyKind::Operator => "運営組織",
        PartyKind::External => "外部システム",
    }
}

/// Under which law an instrument stands.
#[must_use]
pub fn regime(regime: Regime) -> &'static str {
    match regime {
        Regime::Public => "公的発行（適用除外）",
        Regime::SixMonth => "６か月以内（適用除外）",
        Regime::PrepaidThird => "第三者型前払式支払手段",
        Regime::PrepaidOwn => "自家型前払式支払手段",
        Regime::Free => "無償（対象外）",
        Regime::FundsTransfer => "資金移動",
        Regime::Counter => "カウンター（価値なし）",
    }
}

/// What an operation is called that moves value and is no kind of line of its own; none where the API's name must do.
#[must_use]
pub fn operation(name: &str) -> Option<&'static str> {
    match name {
        "touch" => Some("有効期限の更新"),
        _ => None,
    }
}
