"""Components that judge a model before anybody else sees it."""
