"""Task definitions as data: register form, canonical form, the mark, strip and put. Pure."""
