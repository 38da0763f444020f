"""The one table of what follows from what: event → reactions. Nothing reacts to anything that does not stand here.

A reaction is `(session, event, *, now, settings)`; the worker runs each in a transaction of its own. Events that need
none are named in `NO_REACTION`; a test walks every `events.py` and fails for one that stands in neither.
"""

from collections.abc import Callable

from core.staff import events as staff
from core.workdays import events as workdays
from messaging import events as messaging
from messaging.campaigns import events as campaigns
from messaging.inbound import events as inbound
from messaging.numbers import events as numbers
from messaging.wording import events as wording
from queueing.appointments import events as appointments
from queueing.appointments.series import events as series
from queueing.opening import events as opening
from queueing.tickets import events as tickets
from queueing.waitlist import events as waitlist
from reception import arrangements as do
from reception.answers.failed import call_after_failed_text
from reception.answers.service import answer_inbound
from reception.appointed import offered as text_w
from reception.appointed import texts as text_l
from reception.appointed import waiting
from reception.checking import events as checking
from reception.classifier import agreement
from reception.deadlines import events as deadlines
from reception.deadlines import moving
from reception.directives import events as directives
from reception.dossier import events as dossier
from reception.files import events as files
from reception.follow import events as follow
from reception.hotline import events as hotline
from reception.kiosks import events as kiosks
from reception.kiosks import turns
from reception.notices import events as hall_notices
from reception.notify import appointments as text_a
from reception.notify import orders as text_o
from reception.notify import petitions as text_p
from reception.notify import tickets as text_t
from reception.petitions import events as petitions
from reception.visitors import events as visitors
from recordings.archive import events as archive
from recordings.export import events as export
from recordings.notes import events as notes
from recordings.proof import events as proof
from recordings.retention import events as retention
from recordings.storage import events as storage
from recordings.strip import events as strip
from video.meetings import events as meetings

Reaction = Callable[..., None]

REACTIONS: dict[type, tuple[Reaction, ...]] = {
    petitions.PetitionReceived: (text_p.text_petition_received, agreement.weigh_suggestion),
    petitions.PetitionReclassified: (agreement.correct_suggestion,),
    petitions.PetitionRouted: (text_p.text_petition_routed,),
    petitions.PetitionTransferred: (text_p.text_petition_routed,),
    petitions.PetitionAcknowledged: (text_p.text_petition_acknowledged,),
    petitions.VisitorAsked: (text_p.text_visitor_asked,),
    petitions.PetitionAnswered: (text_p.text_petition_answered,),
    petitions.PetitionClosed: (text_p.text_petition_closed, waiting.leave_waitlist),
    petitions.UrgentAgreed: (text_p.text_petition_urgent, waiting.hurry_on_waitlist),
    petitions.WorkBegun: (text_p.text_work_begun,),
    petitions.PetitionDecided: (text_p.text_petition_decided,),
    petitions.PetitionReturned: (text_p.text_petition_returned,),
    petitions.VisitorReplied: (text_p.text_visitor_replied,),
    petitions.PetitionReopened: (text_p.text_petition_reopened,),
    appointments.AppointmentBooked: (
        do.arrange_meeting,
        do.tell_appointment,
        text_a.text_appointment_booked,
        text_l.text_appointment_link,
        waiting.serve_waitlist,
    ),
    appointments.AppointmentRescheduled: (
        do.arrange_meeting,
        do.tell_appointment,
        text_a.text_appointment_rescheduled,
        text_l.text_appointment_link,
    ),
    appointments.AppointmentShifted: (do.arrange_meeting, text_a.text_appointment_shifted),
    appointments.AppointmentCancelled: (do.call_off_meeting, text_a.text_appointment_cancelled),
    waitlist.WaitlistJoined: (text_w.text_waitlist_joined,),
    waitlist.PlaceOffered: (text_w.text_place_offered,),
    waitlist.OfferLapsed: (text_w.text_offer_lapsed,),
    waitlist.OfferWithdrawn: (text_w.text_offer_withdrawn,),
    waitlist.WaitlistOver: (text_w.text_waitlist_over,),
    tickets.TicketCalled: (do.tell_the_near,),
    tickets.TicketNearing: (text_t.text_ticket_near, turns.text_turn_phone),
    tickets.TicketFinished: (turns.forget_turn_phone,),
    tickets.TicketCancelled: (turns.forget_turn_phone,),
    tickets.TicketNoShow: (turns.forget_turn_phone,),
    meetings.MeetingEnded: (do.close_appointment, do.tell_meeting, text_o.text_meeting_ended),
    archive.RecordingClosed: (do.make_playable,),
    archive.RecordingTriedAgain: (do.make_playable,),
    archive.RecordingReady: (do.draw_strip,),
    workdays.HolidayDeclared: (moving.move_for_holiday,),
    workdays.HolidayWithdrawn: (moving.move_for_holiday,),
    workdays.WorkingHoursChanged: (moving.move_for_hours,),
    directives.DirectiveAssigned: (text_o.text_directive_assigned,),
    directives.DirectiveFulfilled: (text_o.text_directive_fulfilled,),
    messaging.InboundReceived: (answer_inbound,),
    messaging.MessageFailed: (call_after_failed_text,),
    messaging.MessageLost: (call_after_failed_text,),
}

# Hints to screens (web/topics.py), rows of the story or of the audit trail: nothing else follows from them.
NO_REACTION: frozenset[type] = frozenset(
    {
        staff.SignedIn,
        staff.SignInFailed,
        appointments.AppointmentHeld,
        appointments.HoldExpired,
        appointments.AppointmentCheckedIn,
        appointments.AppointmentMet,
        appointments.AppointmentMissed,
        appointments.SlotsOpened,
        appointments.SlotClosed,
        appointments.SlotReopened,
        appointments.SlotsShifted,
        appointments.SlotsClosed,
        appointments.AppointmentDisplaced,
        appointments.SlotsReopened,
        series.SeriesBegun,
        series.SeriesChanged,
        series.SeriesEnded,
        waitlist.OfferAccepted,
        waitlist.OfferDeclined,
        waitlist.WaitlistResumed,
        waitlist.WishesChanged,
        waitlist.WaitlistServed,
        waitlist.WaitlistLeft,
        tickets.TicketIssued,
        tickets.TicketRecalled,
        tickets.TicketStarted,
        tickets.TicketParked,
        tickets.TicketResumed,
        tickets.TicketReturned,
        tickets.TicketReopened,
        tickets.TicketTransferred,
        tickets.TicketForwarded,
        tickets.TicketUndone,
        tickets.TicketUrgencyProposed,
        tickets.TicketUrgencyAgreed,
        tickets.TicketUrgencyDeclined,
        tickets.DisciplineChanged,
        opening.OpeningChanged,
        tickets.CounterOpened,
        tickets.CounterClosed,
        tickets.CounterPaused,
        tickets.CounterReturned,
        tickets.KioskHelpRequested,
        tickets.KioskHelpAnswered,
        kiosks.SlipPrinted,
        kiosks.SlipFailed,
        kiosks.PrinterChanged,
        petitions.PetitionVerified,
        petitions.PetitionCompleted,
        petitions.NoteAdded,
        petitions.HandOverRefused,  # whoever has it next is told by a hint, the visitor when it has gone on
        petitions.OpinionAsked,
        petitions.OpinionEnded,
        petitions.PetitionTypeChanged,
        petitions.RoutingChanged,
        deadlines.DeadlineNeared,
        deadlines.DeadlinesMoved,
        petitions.UrgentProposed,
        petitions.UrgentDeclined,
        visitors.VisitorRegistered,
        files.PaperInfected,
        checking.CheckTaken,
        checking.CheckLeft,
        follow.SatisfactionGiven,
        follow.PaperSent,
        dossier.DossierOpened,
        directives.DirectiveMarked,
        directives.DirectiveWritten,
        directives.DirectiveSigned,
        directives.DirectiveReported,
        directives.DirectiveWithdrawn,
        hall_notices.NoticeChanged,
        hall_notices.HallScreenChanged,
        hotline.CallLogged,
        hotline.CallBackAsked,
        hotline.CallBackDone,
        hotline.ConcernRaised,
        hotline.ConcernAnswered,
        hotline.PhoneRang,
        meetings.MeetingScheduled,
        meetings.MeetingCancelled,
        meetings.RoomOpened,
        meetings.ParticipantAdmitted,
        meetings.ParticipantRemoved,
        meetings.ParticipantJoined,
        meetings.ParticipantLeft,
        meetings.MeetingStarted,
        meetings.RecordingLost,
        messaging.MessageQueued,
        messaging.MessageSent,
        messaging.MessageDelivered,
        messaging.MessageDropped,
        messaging.MessageHeld,
        messaging.MessageReleased,
        messaging.MessagesMoved,
        messaging.NumberAllowed,
        messaging.NumberDisallowed,
        wording.WordingProposed,
        wording.WordingApproved,
        wording.WordingDeclined,
        numbers.NumberVerified,
        numbers.NumberStopped,
        numbers.NumberStarted,
        inbound.InboundNeedsPerson,
        inbound.InboundSettled,
        campaigns.CampaignChanged,
        campaigns.CampaignAdvanced,
        archive.RecordingStarted,
        archive.RecordingFailed,
        notes.NoteWritten,
        notes.NoteChanged,
        notes.NoteDeleted,
        notes.NoteRestored,
        strip.RecordingListed,
        strip.RecordingDrawn,
        archive.RecordingGranted,
        archive.LeaveTakenBack,
        retention.TermChanged,
        retention.HoldSet,
        retention.HoldChanged,
        retention.DestructionProposed,
        retention.DestructionDecided,
        retention.RecordingDestroyed,
        retention.RemainsRemoved,
        proof.RecordingSigned,
        proof.SigningFailed,
        proof.CheckAsked,
        proof.CheckAdvanced,
        proof.RecordingChecked,
        export.ExportAsked,
        export.ExportAgreed,
        export.ExportDeclined,
        export.ExportAdvanced,
        export.ExportReady,
        export.ExportFailed,
        export.ExportTriedAgain,
        export.ExportCancelled,
        export.ExportExpired,
        storage.FileStored,
        storage.StoringFailed,
        storage.LocalCopyFreed,
        storage.StoredFileLost,
        storage.ObjectLocked,
        storage.ObjectRemoved,
    }
)
