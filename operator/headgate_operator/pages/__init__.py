"""What pages about rollouts are made of: samples over time, charts, bars and templates. Pure: no I/O but the templates, and no clock.

The operator's web view, `headgate report` and the demo's report are drawn with the same parts:

    sample      what was seen at one instant
    panels      samples → charts: weight, requests, bad answers, evidence, drift
    chart       lines over time → SVG paths, scales and a table that says the same
    roles       which version plays which part
    words       numbers and times as people read them
    document    whole pages from templates; everything from outside is escaped
"""
