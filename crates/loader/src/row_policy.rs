//! Row policies: a vendor's own user sees that vendor's rows and no others.
//!
//! They hold for the tables; the views ask in the name of whoever calls them, so they show no more. What has no vendor of
//! its own (raw events, dead letters) is not shown to vendors at all.

use crate::migrate::MigrateOptions;

/// What a vendor's user may read of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowPolicy {
    /// The table.
    pub table: &'static str,
    /// The rows, as a condition.
    pub condition: String,
    /// The statement that makes or replaces the policy.
    pub statement: String,
}

/// The tables and whether their rows name a vendor (`true`), are nobody's business but ours (`false`).
const TABLES: [(&str, bool); 8] = [
    ("ticket_events", false),
    ("panes", true),
    ("outcomes", true),
    ("gauges", true),
    ("alerts", true),
    ("notifications", true),
    ("actions", true),
    ("dead_letters", false),
];

/// The policies for every user in `vendor_users`, and for each table one that leaves everybody else all rows: without it
/// a server may be set to show them none.
pub fn row_policies(options: &MigrateOptions) -> Vec<RowPolicy> {
    if options.vendor_users.is_empty() {
        return Vec::new();
    }
    let users: Vec<String> = options
        .vendor_users
        .keys()
        .map(|user| identifier(user))
        .collect();
    let mut policies = Vec::new();
    for (table, names_vendor) in TABLES {
        for (user, vendor) in &options.vendor_users {
            let condition = if names_vendor {
                format!("vendor = {}", literal(vendor))
            } else {
                "0".to_owned()
            };
            let name = identifier(&format!("slawatch_{user}"));
            policies.push(policy(options, table, &name, condition, &identifier(user)));
        }
        let everybody_else = format!("ALL EXCEPT {}", users.join(", "));
        policies.push(policy(
            options,
            table,
            "slawatch_all",
            "1".to_owned(),
            &everybody_else,
        ));
    }
    policies
}

fn policy(
    options: &MigrateOptions,
    table: &'static str,
    name: &str,
    condition: String,
    to: &str,
) -> RowPolicy {
    let statement = options.fill_in(&format!(
        "CREATE ROW POLICY OR REPLACE {name}${{on_cluster}} ON ${{database}}.{table} FOR SELECT USING {condition} TO {to}"
    ));
    RowPolicy {
        table,
        condition,
        statement,
    }
}

fn identifier(name: &str) -> String {
    quoted(name, '`')
}

fn literal(text: &str) -> String {
    quoted(text, '\'')
}

fn quoted(text: &str, quote: char) -> String {
    let mut out = String::from(quote);
    for c in text.chars() {
        if c == quote || c == '\\' {
            out.push('\\');
        }
        out.push(c);
    }
    out.push(quote);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_out_of_their_quotes() {
        let options = MigrateOptions {
            vendor_users: [("o'neil`s".to_owned(), "a' OR '1'='1\\".to_owned())].into(),
            cluster: Some("main".to_owned()),
            ..MigrateOptions::default()
        };
        let policies = row_policies(&options);
        let panes: Vec<&RowPolicy> = policies
            .iter()
            .filter(|policy| policy.table == "panes")
            .collect();
        assert_eq!(panes[0].condition, r"vendor = 'a\' OR \'1\'=\'1\\'");
        assert_eq!(
            panes[0].statement,
            r"CREATE ROW POLICY OR REPLACE `slawatch_o'neil\`s` ON CLUSTER main ON slawatch.panes FOR SELECT USING vendor = 'a\' OR \'1\'=\'1\\' TO `o'neil\`s`"
        );
        assert_eq!(
            panes[1].statement,
            r"CREATE ROW POLICY OR REPLACE slawatch_all ON CLUSTER main ON slawatch.panes FOR SELECT USING 1 TO ALL EXCEPT `o'neil\`s`"
        );
        assert_eq!(row_policies(&MigrateOptions::default()), []);
    }
}
