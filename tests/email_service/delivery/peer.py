"""The scripted SMTP server, as tests know it."""

from koomessage.console.smtp_peer import Action, Cut, Drip, KeepAndCut, Peer, Say, Script, Session, Wait

__all__ = ["Action", "Cut", "Drip", "KeepAndCut", "Peer", "Say", "Script", "Session", "Wait"]
