"""From HTTP bodies to rows: CloudEvents, the V1 and V2 protocols, and requests joined with their responses. No I/O, no clock."""
