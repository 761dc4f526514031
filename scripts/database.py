"""Create or drop a database for one run: database.py create|drop ADDRESS NAME."""

import sys

import psycopg
from psycopg import sql

STATEMENTS = {
    "create": sql.SQL("CREATE DATABASE {}"),
    "drop": sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)"),
}


def main(what: str, address: str, name: str) -> None:
    server = address.rsplit("/", 1)[0] + "/postgres"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(STATEMENTS[what].format(sql.Identifier(name)))


if __name__ == "__main__":
    main(*sys.argv[1:4])
