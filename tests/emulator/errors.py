# SPDX-License-Identifier: Apache-2.0
"""The one exception that becomes an AWS error answer."""


class ApiError(Exception):
    """An error as EC2 or STS would answer it: code, text for people, HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400):
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class ControlError(Exception):
    """A control call that makes no sense: a mistake in a test, told as HTTP 400."""
