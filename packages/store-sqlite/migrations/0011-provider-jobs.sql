-- Where the courier finds money that has to go back. An ordinary payment has no entry in either: money that came without
-- goods, by the number of its event, and refunds that nobody has settled, in the order in which they were made.
CREATE INDEX event_refund_due ON event (seq, object_id) WHERE type = 'payment.refund_due';
CREATE INDEX refund_pending ON refund (created_ms, id) WHERE status = 'pending';
