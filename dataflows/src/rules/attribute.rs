//! What rules can ask of a customer: contract, "Attributes that rules can use".

use std::fmt;

/// The type of an expression. Booleans are never null; numbers and texts may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Type {
    Number,
    Text,
    Boolean,
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Type::Number => "number",
            Type::Text => "text",
            Type::Boolean => "boolean",
        })
    }
}

/// One attribute. Families (`usage.NAME`) carry their name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Attribute {
    Age,
    TenureMonths,
    DaysToBirthday,
    Gender,
    City,
    District,
    Brand,
    GroupType,
    Occupation,
    Status,
    Employer,
    IncomeBand,
    AvgFee,
    AvgRoamingFee,
    AvgSmsFee,
    AvgVasFee,
    AvgDataKb,
    LastFee,
    ChangeFee,
    ChangeRoamingFee,
    ChangeSmsFee,
    ChangeVasFee,
    ChangeData,
    Tier,
    Rank,
    Points,
    Member,
    Usage(String),
    Participations(String),
    Holds(String),
    Tag(String),
    OnList(String),
    Terminal(String),
    Consent(String),
    Score(String),
    VasShare,
    MemberStage,
    Trial(String),
    Health(String),
    UsageYear(String),
    Drive(String),
    Response(String),
}

/// Makes an attribute of a family from its name.
pub type Family = fn(String) -> Attribute;

impl Attribute {
    /// The attributes that have no name of their own to carry, as rules spell them.
    pub const PLAIN: [(&'static str, Attribute); 29] = [
        ("age", Attribute::Age),
        ("tenure_months", Attribute::TenureMonths),
        ("days_to_birthday", Attribute::DaysToBirthday),
        ("gender", Attribute::Gender),
        ("city", Attribute::City),
        ("district", Attribute::District),
        ("brand", Attribute::Brand),
        ("group_type", Attribute::GroupType),
        ("occupation", Attribute::Occupation),
        ("status", Attribute::Status),
        ("employer", Attribute::Employer),
        ("income_band", Attribute::IncomeBand),
        ("avg_fee", Attribute::AvgFee),
        ("avg_roaming_fee", Attribute::AvgRoamingFee),
        ("avg_sms_fee", Attribute::AvgSmsFee),
        ("avg_vas_fee", Attribute::AvgVasFee),
        ("avg_data_kb", Attribute::AvgDataKb),
        ("last_fee", Attribute::LastFee),
        ("change_fee", Attribute::ChangeFee),
        ("change_roaming_fee", Attribute::ChangeRoamingFee),
        ("change_sms_fee", Attribute::ChangeSmsFee),
        ("change_vas_fee", Attribute::ChangeVasFee),
        ("change_data", Attribute::ChangeData),
        ("tier", Attribute::Tier),
        ("rank", Attribute::Rank),
        ("points", Attribute::Points),
        ("member", Attribute::Member),
        ("member_stage", Attribute::MemberStage),
        ("vas_share", Attribute::VasShare),
    ];

    /// The families, as rules spell them before the dot.
    pub const FAMILIES: [(&'static str, Family); 13] = [
        ("usage", Attribute::Usage),
        ("participations", Attribute::Participations),
        ("holds", Attribute::Holds),
        ("tag", Attribute::Tag),
        ("on_list", Attribute::OnList),
        ("terminal", Attribute::Terminal),
        ("consent", Attribute::Consent),
        ("score", Attribute::Score),
        ("trial", Attribute::Trial),
        ("health", Attribute::Health),
        ("usage_year", Attribute::UsageYear),
        ("drive", Attribute::Drive),
        ("response", Attribute::Response),
    ];

    /// The type of its values.
    pub fn ty(&self) -> Type {
        use Attribute::*;
        match self {
            Gender | City | District | Brand | GroupType | Occupation | Status | Employer | IncomeBand | Tier
            | Rank | MemberStage | Trial(_) | Health(_) | Response(_) => Type::Text,
            Member | Holds(_) | Tag(_) | OnList(_) | Terminal(_) | Consent(_) | Drive(_) => Type::Boolean,
            _ => Type::Number,
        }
    }

    /// Whether it is as of now; the others are as of `as_of`, and only those may decide a tier.
    pub fn is_as_of_now(&self) -> bool {
        use Attribute::*;
        let is_of_members = matches!(self, Rank | Points | Member | MemberStage);
        let is_of_services = matches!(self, Holds(_) | Trial(_) | Health(_));
        // What a drive asks may be.
        let is_of_members = is_of_members || matches!(self, Drive(_));
        let is_of_campaigns = matches!(self, Consent(_) | Score(_) | Response(_));
        is_of_members || is_of_services || is_of_campaigns || matches!(self, Tag(_) | OnList(_) | Terminal(_))
    }

    /// Whether this build carries the feed it comes from. Where not, it is false or null for
    /// everybody, and a programme that uses it is warned.
    pub fn is_carried(&self) -> bool {
        use Attribute::*;
        !matches!(self, Tag(_))
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use Attribute::*;
        let (family, name) = match self {
            Usage(name) => ("usage", name),
            Participations(name) => ("participations", name),
            Holds(name) => ("holds", name),
            Tag(name) => ("tag", name),
            OnList(name) => ("on_list", name),
            Terminal(name) => ("terminal", name),
            Consent(name) => ("consent", name),
            Score(name) => ("score", name),
            Trial(name) => ("trial", name),
            Health(name) => ("health", name),
            UsageYear(name) => ("usage_year", name),
            Drive(name) => ("drive", name),
            Response(name) => ("response", name),
            plain => {
                let (name, _) = Attribute::PLAIN.iter().find(|(_, attribute)| attribute == plain).expect("listed");
                return f.write_str(name);
            }
        };
        write!(f, "{family}.{name}")
    }
}
