# One insert or update of an incident becomes one event of slawatch; other tables are skipped.

# Values are texts, and times are in UTC without saying so.
def instant: . + "Z";

# The first that holds: what happened most.
def type:
  if .operation == "insert" then "created"
  elif .record.state == "8" then "cancelled"
  elif .comment_by != "" and .comment_by == .caller then "customer_replied"
  elif .comment_by != "" then "agent_replied"
  else "updated" end;

def priority: {"1": "urgent", "2": "high", "3": "normal", "4": "low", "5": "low"}[.] // "normal";

select(.table == "incident")
| type as $type
| .record
| {
    event_id: "\(.sys_id)/\(.sys_mod_count)",
    ticket_id: .number,
    $type,
    occurred_at: (.sys_updated_on | instant),
    sequence: (.sys_mod_count | tonumber),
    vendor: .company,
    queue: .assignment_group,
    priority: (.priority | priority),
    # A cancelled incident ends; its state does not make it solved.
    status: (if .state == "3" then "3/\(.hold_reason)" elif .state == "8" then null else .state end),
    channel: .contact_type,
    category: .category,
    agent_id: .assigned_to,
    requester_id: .caller_id
  }
