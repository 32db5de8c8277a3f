CODES = {"test.failed": "A test resource was told to fail."}
