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
    "petition_begun": N_("Work on a petition begun"),
    "petition_returned": N_("Petition returned to the centre"),
    "petition_reply_received": N_("Reply of the visitor received"),
    "petition_reopened": N_("Petition taken up again"),
    "petition_urgent": N_("Petition treated as urgent"),
    "appointment_video": N_("Video meeting booked"),
    "appointment_audience": N_("Audience booked"),
    "appointment_moved": N_("Appointment moved"),
    "appointment_clock": N_("Clocks change, appointment stays"),
    "appointment_cancelled": N_("Appointment cancelled"),
    "appointment_link": N_("Link to the appointment"),
    "reminder_day": N_("Reminder on the day before"),
    "reminder_hours": N_("Reminder two hours before"),
    "meeting_ended": N_("Meeting held"),
    "ticket_near": N_("Turn is near"),
    "directive_assigned": N_("Order given"),
    "directive_fulfilled": N_("Order carried out"),
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
    "sending": N_("With the gateway"),
    "sent": N_("Sent"),
    "delivered": N_("Delivered"),
    "failed": N_("Not sent"),
    "dropped": N_("Taken back"),
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
