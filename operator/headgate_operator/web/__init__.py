"""The read-only web view of the operator: what its passes saw anyway, as pages.

    board       what is known of every object, in little memory
    ring        samples over time, in less
    slim        a status without what no page shows
    listing     which objects a list shows, and in which order
    access      who may look
    app         addresses and answers
    server      the port, its bounds and its headers

It asks the API server nothing and changes nothing. Drawing is `headgate_operator.pages`.
"""
