"""pyscard: cards that come and go, as its monitor thread tells them."""
import sys
from smartcard.CardMonitoring import CardMonitor, CardObserver


class Teller(CardObserver):
    def update(self, observable, actions):
        inserted, removed = actions
        for card in inserted:
            print("inserted", card.reader, flush=True)
        for card in removed:
            print("removed", card.reader, flush=True)


CardMonitor().addObserver(Teller())
# The test ends our input when it has seen enough.
sys.stdin.read()
