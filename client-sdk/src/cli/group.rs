//! `musubi group`: opening, changing, helping and closing groups (自治会, サークル).

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use musubi_sdk::{
    PartyId, PartyKind, entropy,
    ledger::group::{Band, GroupPolicy, RoleGrant, Roles},
    operation::{ChangeGroup, CreateGroup, InstallSuccessors},
};

use super::{
    args::Signing, contacts::Contact, error::CliError, finish::Plan, group_children, party_show,
    register::registrar, session::Session, sums::parse_amount, table::Report, when::When,
};

/// Groups
#[derive(Debug, Subcommand)]
pub(crate) enum GroupCommand {
    /// Open a group: its representative, a second person of it and a registrar officer sign
    Create(Create),
    /// Show a group: life, policy, who may do what
    Show {
        /// Which group
        #[arg(value_name = "NAME|ADDRESS")]
        group: String,
    },
    /// Change roles, policy or representative: two persons of the group sign
    Change(Change),
    /// Join a parent body (both sides sign), or leave it (either side)
    Parent(ParentArgs),
    /// List the groups directly under a body
    Children(group_children::Children),
    /// Begin a group's end, or end it once nothing paid is in its wallet: two persons of the group sign
    Close(Which),
    /// Install successors in a group that cannot act: two registrar officers sign
    Install(Install),
}

#[derive(Debug, Args)]
#[group(id = "above", required = true, multiple = false, args = ["under", "none"])]
pub(crate) struct ParentArgs {
    /// Which group
    #[arg(value_name = "NAME|ADDRESS")]
    group: String,
    /// The body that it joins: a group, or an office
    #[arg(long, value_name = "NAME|ADDRESS")]
    under: Option<String>,
    /// It leaves
    #[arg(long)]
    none: bool,
    #[command(flatten)]
    signing: Signing,
}

/// Who may do what.
#[derive(Debug, Args)]
pub(crate) struct RoleArgs {
    /// A person who may draft payouts; repeat
    #[arg(long, value_name = "NAME|ADDRESS")]
    drafter: Vec<String>,
    /// A person who may approve what somebody else drafted; repeat
    #[arg(long, value_name = "NAME|ADDRESS")]
    approver: Vec<String>,
}

/// What payouts need beyond a drafter and one approver.
#[derive(Debug, Args)]
pub(crate) struct PolicyArgs {
    /// From this amount on, so many approvers: 100000=2; repeat, ascending
    #[arg(long, value_name = "AMOUNT=COUNT")]
    band: Vec<BandArg>,
    /// Nobody may both draft and approve
    #[arg(long)]
    exclusive_roles: bool,
    /// How long a payout proposal may stay open, in hours (1 to 2160)
    #[arg(long, value_name = "HOURS")]
    proposal_hours: Option<u16>,
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// A name for the group in this address book
    name: String,
    /// The person who answers for it
    #[arg(long, value_name = "NAME|ADDRESS")]
    representative: String,
    #[command(flatten)]
    roles: RoleArgs,
    #[command(flatten)]
    policy: PolicyArgs,
    /// The registrar whose officer attests
    #[arg(long, value_name = "NAME|ADDRESS")]
    registrar: String,
    #[command(flatten)]
    signing: Signing,
}

#[derive(Debug, Args)]
pub(crate) struct Change {
    /// Which group
    #[arg(value_name = "NAME|ADDRESS")]
    group: String,
    /// Another representative, who signs too
    #[arg(long, value_name = "NAME|ADDRESS")]
    representative: Option<String>,
    #[command(flatten)]
    roles: RoleArgs,
    /// Replace the policy by what the next options say
    #[arg(long)]
    new_policy: bool,
    #[command(flatten)]
    policy: PolicyArgs,
    #[command(flatten)]
    signing: Signing,
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Which group
    #[arg(value_name = "NAME|ADDRESS")]
    group: String,
    #[command(flatten)]
    signing: Signing,
}

#[derive(Debug, Args)]
pub(crate) struct Install {
    /// Which group
    #[arg(value_name = "NAME|ADDRESS")]
    group: String,
    /// The new representative
    #[arg(long, value_name = "NAME|ADDRESS")]
    representative: String,
    #[command(flatten)]
    roles: RoleArgs,
    /// From when they act, at least the chain's notice period ahead
    #[arg(long)]
    effective: When,
    #[command(flatten)]
    signing: Signing,
}

/// A band as typed: `100000=2`.
#[derive(Clone, Debug)]
pub(crate) struct BandArg {
    from: String,
    approvers: u8,
}

impl std::str::FromStr for BandArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (from, approvers) = text.split_once('=').ok_or("expected AMOUNT=COUNT")?;
        let approvers = approvers.parse().map_err(|_| "the count is a small whole number")?;
        Ok(Self { from: from.into(), approvers })
    }
}

pub(crate) async fn run(command: GroupCommand, session: &mut Session) -> Result<Report, CliError> {
    match command {
        GroupCommand::Create(args) => create(args, session).await,
        GroupCommand::Show { group } => party_show::run(Some(&group), session).await,
        GroupCommand::Change(args) => change(args, session).await,
        GroupCommand::Close(args) => {
            let (actor, contact) = session.actor_contact()?;
            let group = session.party(&args.group).await?;
            let draft = session.composer().await?.close_group(contact.party, group);
            let done = "Done: a group with value is closing now, an empty one is closed.";
            Plan::new(draft, Some(&actor), done).run(session, &args.signing).await
        }
        GroupCommand::Parent(args) => parent(args, session).await,
        GroupCommand::Children(args) => group_children::list(args, session).await,
        GroupCommand::Install(args) => install(args, session).await,
    }
}

impl RoleArgs {
    fn is_empty(&self) -> bool {
        self.drafter.is_empty() && self.approver.is_empty()
    }

    async fn grants(&self, session: &mut Session) -> Result<Vec<RoleGrant>, CliError> {
        let mut roles: BTreeMap<PartyId, Roles> = BTreeMap::new();
        for text in &self.drafter {
            roles.entry(session.party(text).await?).or_default().drafts = true;
        }
        for text in &self.approver {
            roles.entry(session.party(text).await?).or_default().approves = true;
        }
        let grant = |(person, roles)| RoleGrant { person, roles };
        Ok(roles.into_iter().map(grant).collect())
    }
}

impl PolicyArgs {
    /// A week, unless said otherwise: long enough for a circle that meets weekly.
    const HOURS: u16 = 168;
    /// Bands count over all instruments of a payout, in their smallest unit.
    fn policy(&self) -> Result<GroupPolicy, CliError> {
        let band = |arg: &BandArg| {
            let from = parse_amount(&arg.from, 0)?;
            let approvers = arg.approvers;
            Ok(Band { from, approvers })
        };
        Ok(GroupPolicy {
            exclusive_roles: self.exclusive_roles,
            bands: self.band.iter().map(band).collect::<Result<_, CliError>>()?,
            proposal_hours: self.proposal_hours.unwrap_or(Self::HOURS),
        })
    }
}

async fn create(args: Create, session: &mut Session) -> Result<Report, CliError> {
    let (actor, contact) = session.actor_contact()?;
    let known = session.book().contacts.get(&args.name).cloned();
    // An earlier attempt that was rejected left its name: it is tried again under the same id.
    let group = match known {
        Some(known) if known.kind == Some(PartyKind::Group) => known.party,
        _ => {
            let group = entropy::party_id();
            let kind = Some(PartyKind::Group);
            session.book_mut().add(&args.name, Contact { kind, ..Contact::of(group) })?;
            group
        }
    };
    let create = CreateGroup {
        group,
        registrar: registrar(session, Some(&args.registrar)).await?,
        representative: session.party(&args.representative).await?,
        roles: args.roles.grants(session).await?,
        policy: args.policy.policy()?,
    };
    let draft = session.composer().await?.create_group(contact.party, create);
    let done = format!("Opened {}: {}", args.name, session.scheme().await?.address(group));
    Plan::new(draft, Some(&actor), done).run(session, &args.signing).await
}

async fn change(args: Change, session: &mut Session) -> Result<Report, CliError> {
    let (actor, contact) = session.actor_contact()?;
    let roles = match args.roles.is_empty() {
        true => None,
        false => Some(args.roles.grants(session).await?),
    };
    let representative = match &args.representative {
        Some(text) => Some(session.party(text).await?),
        None => None,
    };
    let change = ChangeGroup {
        group: session.party(&args.group).await?,
        roles,
        policy: args.new_policy.then(|| args.policy.policy()).transpose()?,
        representative,
    };
    let draft = session.composer().await?.change_group(contact.party, change);
    Plan::new(draft, Some(&actor), "The group is changed.").run(session, &args.signing).await
}

async fn install(args: Install, session: &mut Session) -> Result<Report, CliError> {
    let (actor, contact) = session.actor_contact()?;
    let composer = session.composer().await?;
    let install = InstallSuccessors {
        group: session.party(&args.group).await?,
        representative: session.party(&args.representative).await?,
        roles: args.roles.grants(session).await?,
        effective: args.effective.from(composer.now),
    };
    let draft = composer.install_successors(contact.party, install);
    let done = "The successors wait for the notice period.";
    Plan::new(draft, Some(&actor), done).run(session, &args.signing).await
}

async fn parent(args: ParentArgs, session: &mut Session) -> Result<Report, CliError> {
    let (actor, contact) = session.actor_contact()?;
    let group = session.party(&args.group).await?;
    let parent = match &args.under {
        Some(text) => Some(session.party(text).await?),
        None => None,
    };
    let draft = session.composer().await?.set_parent(contact.party, group, parent);
    let done = if args.none { "It left." } else { "It joined." };
    Plan::new(draft, Some(&actor), done).run(session, &args.signing).await
}
