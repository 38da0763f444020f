"""What each kind of text and each state is called on screens."""

from core.language import N_

TITLES = {
    "petition_received": N_("Petition received"),
    "petition_routed": N_("Petition sent on"),
    "petition_to_office": N_("Petition sent up to the minister"),
    "petition_acknowledged": N_("Petition confirmed by the department"),
    "visitor_asked": N_("Visitor asked for more"),
    "visitor_asked_at_centre": N_("Visitor asked to come to the centre"),
    "petition_answered": N_("Petition answered"),
    "petition_answered_at_centre": N_("Petition answered: to be heard at the centre"),
    "petition_closed": N_("Petition closed"),
    "petition_joined": N_("Petition joined to another"),
    "petition_begun": N_("Work on a petition begun"),
    "petition_decided": N_("Petition studied, answer being written"),
    "petition_returned": N_("Petition returned to the centre"),
    "petition_reply_received": N_("Reply of the visitor received"),
    "petition_reopened": N_("Petition taken up again"),
    "petition_urgent": N_("Petition treated as urgent"),
    "appointment_video": N_("Video meeting booked"),
    "appointment_audience": N_("Audience booked"),
    "appointment_moved": N_("Appointment moved"),
    "appointment_moved_holiday": N_("Appointment moved by a holiday"),
    "appointment_clock": N_("Clocks change, appointment stays"),
    "appointment_cancelled": N_("Appointment cancelled"),
    "appointment_link": N_("Link to the appointment"),
    "reminder_day": N_("Reminder on the day before"),
    "reminder_hours": N_("Reminder two hours before"),
    "meeting_ended": N_("Meeting held"),
    "ticket_near": N_("Turn is near"),
    "directive_assigned": N_("Order given"),
    "directive_fulfilled": N_("Order carried out"),
    "waitlist_joined": N_("Joined the waitlist"),
    "waitlist_offer": N_("Time offered"),
    "waitlist_earlier_joined": N_("Waits for an earlier day"),
    "waitlist_earlier": N_("Earlier time offered"),
    "waitlist_earlier_passed": N_("Earlier time went on to the next"),
    "waitlist_link": N_("Link to the offer"),
    "waitlist_passed": N_("Offer went on to the next"),
    "waitlist_paused": N_("Offers paused"),
    "waitlist_over": N_("Waiting is over"),
    "waitlist_withdrawn": N_("Offer taken back"),
    "one_time_code": N_("One-time code"),
    "reply_help": N_("Answer: what can be sent"),
    "reply_unknown": N_("Answer: not understood"),
    "reply_verify": N_("Answer: verify your number first"),
    "reply_status": N_("Answer: where the petition stands"),
    "reply_no_case": N_("Answer: no such petition"),
    "reply_confirmed": N_("Answer: coming is confirmed"),
    "reply_cancel_sure": N_("Answer: really cancel?"),
    "reply_kept": N_("Answer: appointment stays"),
    "reply_no_appointment": N_("Answer: no appointment"),
    "reply_no_offer": N_("Answer: no offer"),
    "reply_declined": N_("Answer: offer declined"),
    "reply_offer_sure": N_("Answer: this offer?"),
    "reply_which_offer": N_("Answer: which offer?"),
    "reply_which_appointment": N_("Answer: which appointment?"),
    "reply_offer_or_cancel": N_("Answer: the offer, or cancel?"),
    "reply_centre": N_("Answer: nearest centre"),
    "reply_which_city": N_("Answer: which city?"),
    "reply_language": N_("Answer: language changed"),
    "reply_stopped": N_("Answer: no more texts"),
    "reply_started": N_("Answer: texts again"),
    "reply_call": N_("Answer: we will call"),
    "reply_too_many": N_("Answer: too many messages"),
    "campaign": N_("Campaign"),
}

CLASS_TITLES = {
    "otp": N_("One-time codes"),
    "reply": N_("Answers to texts"),
    "service": N_("Notices of one's case"),
    "reminder": N_("Reminders"),
    "campaign": N_("Campaigns"),
}

STATE_TITLES = {
    "created": N_("Waiting to be sent"),
    "held": N_("Held back"),
    "sending": N_("With the gateway"),
    "sent": N_("Sent"),
    "delivered": N_("Delivered"),
    "temporary": N_("Will be tried again"),
    "failed": N_("Not sent"),
    "expired": N_("Its hour has passed"),
    "unknown": N_("Nobody knows"),
    "dropped": N_("Taken back"),
}

# What a gateway tells of one part.
PART_TITLES = {
    "sent": N_("Taken by the gateway"),
    "delivered": N_("On the phone"),
    "failed": N_("Refused"),
    "expired": N_("Its hour has passed"),
    "unknown": N_("No answer"),
    "temporary": N_("Put off"),
}

# Why a text ended, in our own words; what a gateway says stands as it came.
REASONS = {
    "not a complete phone number": N_("This is not a complete phone number."),
    "the number asked for no more texts (STOP)": N_("This number asked for no more texts (STOP)."),
    "no receipt came": N_("The gateway took it, and then nothing was heard of it."),
    "taken in hand too often": N_("It was tried too often without an answer."),
    "the sender was killed before an answer": N_("The sender was stopped before the gateway answered."),
}

# The first word of what a gateway reports: states of a receipt (SMPP 3.4, 5.2.28) and answers that are no yes (5.1.3).
REPORTED = {
    "UNDELIV": N_("The phone was switched off or out of reach, or nobody has the number."),
    "EXPIRED": N_("The phone was not reached in time."),
    "REJECTD": N_("The operator refused it."),
    "DELETED": N_("The operator threw it away before it arrived."),
    "RINVDSTADR": N_("The operator knows no such number."),
    "RTHROTTLED": N_("The operator asks for fewer texts at a time."),
    "RMSGQFUL": N_("The operator asks for fewer texts at a time."),
    "RSYSERR": N_("The operator has a fault."),
}

# What an encoding and a way out are to whoever looks after the texts; a real gateway is called by its own name.
LETTERS = {
    "GSM-7": N_("Latin letters: up to 160 in one part"),
    "UCS-2": N_("Arabic letters: up to 70 in one part"),
}
GATEWAYS = {
    "console": N_("Written to the log of this server only: no gateway is set up"),
    "null": N_("Nowhere: texts are switched off"),
}
KIND_TITLES = {
    "console": N_("log of this server"),
    "null": N_("nowhere"),
    "smpp": "SMPP 3.4",
    "kannel": "Kannel",
    "https": "HTTPS",
}

WORDING_TITLES = {
    "draft": N_("Draft"),
    "proposed": N_("Waits for a second person"),
    "in_force": N_("In force"),
    "replaced": N_("Replaced"),
    "declined": N_("Declined"),
    "discarded": N_("Discarded"),
}
CAMPAIGN_TITLES = {
    "draft": N_("Draft"),
    "proposed": N_("Waits for a second person"),
    "approved": N_("Approved, not started"),
    "running": N_("Under way"),
    "paused": N_("Paused"),
    "done": N_("Done"),
    "declined": N_("Declined"),
    "cancelled": N_("Cancelled"),
}

# What a field of each kind holds.
FIELD_TITLES = {
    "case": N_("case number"),
    "link": N_("address of the visitor's page"),
    "door": N_("one-time link"),
    "moment": N_("weekday, Hijri and Gregorian date, time"),
    "deadline": N_("until when"),
    "holiday": N_("name of the holiday"),
    "place": N_("centre and street"),
    "code": N_("code"),
    "department": N_("department"),
    "phone": N_("the free number"),
    "label": N_("ticket"),
    "count": N_("a number"),
    "digits": N_("one-time code"),
    "status": N_("where the petition stands"),
    "places": N_("names of centres"),
    "words": N_("free text"),
}

COMMAND_TITLES = {
    "status": N_("Where does my petition stand?"),
    "confirm": N_("I will come"),
    "cancel": N_("Cancel"),
    "move": N_("Another time"),
    "accept": N_("Take the offer"),
    "decline": N_("Leave the offer"),
    "yes": N_("Yes"),
    "no": N_("No"),
    "arabic": N_("Arabic"),
    "english": N_("English"),
    "language": N_("Language"),
    "centre": N_("Which centre?"),
    "help": N_("Help"),
    "stop": N_("No more texts"),
    "start": N_("Texts again"),
    "call": N_("Call me"),
    "unknown": N_("Not understood"),
    "empty": N_("Empty"),
}
NOTHING_DONE = {"too many", "ignored", "no case", "unverified", "no appointment", "no offer", "not understood"}
"""Outcomes that helped nobody: shown without a tick."""
OUTCOME_TITLES = {
    "stopped": N_("Texts stopped"),
    "started": N_("Texts start again"),
    "language": N_("Language changed"),
    "helped": N_("Told what can be sent"),
    "too many": N_("Too many texts: not answered"),
    "ignored": N_("No number to answer to"),
    "status": N_("Told where it stands"),
    "no case": N_("No such petition for this number"),
    "unverified": N_("Number not verified: told nothing"),
    "confirmed": N_("Coming is noted"),
    "asked to cancel": N_("Asked: really cancel?"),
    "cancelled": N_("Appointment cancelled"),
    "kept": N_("Appointment stays"),
    "link": N_("Link sent to choose another time"),
    "no appointment": N_("No appointment ahead"),
    "accepted": N_("Offer taken"),
    "declined": N_("Offer left"),
    "no offer": N_("No offer stands"),
    "asked about the offer": N_("Asked: this offer?"),
    "asked which": N_("Asked: which one?"),
    "asked: offer or cancel": N_("Asked: the offer, or cancel?"),
    "centre": N_("Told where the centre is"),
    "asked for the city": N_("Asked: which city?"),
    "call": N_("Will be called"),
    "not understood": N_("Not understood"),
}
