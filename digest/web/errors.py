"""What an error page says."""

from starlette.exceptions import HTTPException

#: By status: the page's heading, and one sentence that says what to do.
SAID = {
    400: ("This could not be understood", "Go back, check what you entered, and try again."),
    403: ("This is not open to you", "Ask the coordinator if you think that it should be."),
    404: ("Page not found", "Check the address, or start again from the first page."),
    405: ("Page not found", "Check the address, or start again from the first page."),
    409: ("This has changed meanwhile", "Go back, load the page again, and decide anew."),
    413: ("That was too much at once", "Go back, shorten what you entered, and try again."),
    500: ("Sorry, something went wrong", "Nothing was changed. Try again in a few minutes."),
}


def words(error: Exception) -> tuple[int, str, str]:
    """An error's status, the page's heading and its sentence. Only a refusal of our own speaks for itself."""
    if not isinstance(error, HTTPException):
        return 500, *SAID[500]
    heading, what_to_do = SAID.get(error.status_code, SAID[400])
    return error.status_code, heading, error.detail if error.detail.endswith(".") else what_to_do
