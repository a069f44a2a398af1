# One ticket event of Zendesk becomes one event of slawatch; what is no matter of tickets' clocks is skipped.

# Zendesk's groups: who works there, in which queue.
def groups: {
  "8447320466430": {vendor: "northwind", queue: "refunds"},
  "8475923147902": {vendor: "contoso", queue: "baggage"}
};

def type:
  .event as $event
  | {
      created: "created",
      comment_added: (
        if $event.comment.is_public | not then "updated"
        elif $event.comment.author.is_staff then "agent_replied"
        else "customer_replied" end),
      status_changed: "updated",
      priority_changed: "updated",
      group_assignment_changed: "updated",
      agent_assignment_changed: "updated",
      merged: "merged",
      soft_deleted: "cancelled",
      permanently_deleted: "cancelled",
      marked_as_spam: "cancelled"
    }[.type | ltrimstr("zen:event-type:ticket.")];

.detail as $ticket
| type as $type
| select($type)
| (groups[$ticket.group_id // ""] // {}) as $group
| {
    event_id: .id,
    ticket_id: ($ticket.id | tostring),
    $type,
    occurred_at: .time,
    # Events of one action carry their order in it.
    sequence: (.event.meta.sequence.position // 0),
    vendor: $group.vendor,
    queue: $group.queue,
    priority: ($ticket.priority // "normal" | ascii_downcase),
    # A merged or deleted ticket ends; the status that Zendesk gives it then does not make it solved.
    status: (if $type == "merged" or $type == "cancelled" then null else $ticket.status end),
    channel: $ticket.via.channel,
    category: ($ticket.type // "" | ascii_downcase),
    agent_id: ($ticket.assignee_id // ""),
    requester_id: $ticket.requester_id,
    into: (.event.target_ticket_id // null | if . then tostring else null end),
    labels: {brand: $ticket.brand_id, organization: $ticket.organization_id}
  }
