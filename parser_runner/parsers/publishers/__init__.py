"""The publishers' formats: a module each, named after the country and the publisher. docs/formats.md lists them."""
