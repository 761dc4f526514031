"""The numbers of PRODUCT.md that form and service share; all of them inclusive."""

MAX_TYPED = 10
MAX_ATTACHMENTS = 10
MAX_ATTACHED_BYTES = 4 * 2**20
MAX_FILE_BYTES = 40 * 2**20
MOST_DAYS_AHEAD = 365
