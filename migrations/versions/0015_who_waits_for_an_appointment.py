"""who waits for an appointment

Revision: 0015
Follows: 0014
"""

import sqlalchemy as sa
from alembic import op

import core.db

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "waitlist",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("petition_id", sa.String(), nullable=False),
        sa.Column("visitor_id", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("centre_id", sa.String(), nullable=True),
        sa.Column("official_id", sa.String(), nullable=True),
        sa.Column("needs_interpreter", sa.Boolean(), nullable=False),
        sa.Column("earliest", core.db.UtcDateTime(), nullable=True),
        sa.Column("latest", core.db.UtcDateTime(), nullable=True),
        sa.Column("visitor_class", sa.String(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("joined_at", core.db.UtcDateTime(), nullable=False),
        sa.Column("joined_by", sa.String(), nullable=False),
        sa.Column("changed_at", core.db.UtcDateTime(), nullable=False),
        sa.Column("unanswered", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waitlist")),
    )
    with op.batch_alter_table("waitlist", schema=None) as batch_op:
        batch_op.create_index("ix_waitlist_line", ["state", "joined_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_waitlist_petition_id"), ["petition_id"], unique=False)
        batch_op.create_index("ix_waitlist_visitor", ["visitor_id", "state"], unique=False)
        batch_op.create_index(
            "uq_waitlist_petition",
            ["petition_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('waiting', 'offered', 'paused')"),
            postgresql_where=sa.text("state IN ('waiting', 'offered', 'paused')"),
        )

    op.create_table(
        "waitlist_offer",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("waiting_id", sa.String(), nullable=False),
        sa.Column("slot_id", sa.String(), nullable=False),
        sa.Column("appointment_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("offered_at", core.db.UtcDateTime(), nullable=False),
        sa.Column("until", core.db.UtcDateTime(), nullable=False),
        sa.Column("answered_at", core.db.UtcDateTime(), nullable=True),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["appointment_id"], ["appointment.id"], name=op.f("fk_waitlist_offer_appointment_id")),
        sa.ForeignKeyConstraint(["slot_id"], ["appointment_slot.id"], name=op.f("fk_waitlist_offer_slot_id")),
        sa.ForeignKeyConstraint(["waiting_id"], ["waitlist.id"], name=op.f("fk_waitlist_offer_waiting_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waitlist_offer")),
        sa.UniqueConstraint("appointment_id", name=op.f("uq_waitlist_offer_appointment_id")),
    )
    with op.batch_alter_table("waitlist_offer", schema=None) as batch_op:
        batch_op.create_index("ix_waitlist_offer_slot", ["slot_id", "waiting_id"], unique=False)
        batch_op.create_index("ix_waitlist_offer_state", ["state", "until"], unique=False)
        batch_op.create_index(batch_op.f("ix_waitlist_offer_waiting_id"), ["waiting_id"], unique=False)
        batch_op.create_index(
            "uq_waitlist_offer_open",
            ["waiting_id"],
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )


def downgrade() -> None:
    with op.batch_alter_table("waitlist_offer", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_waitlist_offer_open", sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'")
        )
        batch_op.drop_index(batch_op.f("ix_waitlist_offer_waiting_id"))
        batch_op.drop_index("ix_waitlist_offer_state")
        batch_op.drop_index("ix_waitlist_offer_slot")

    op.drop_table("waitlist_offer")
    with op.batch_alter_table("waitlist", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_waitlist_petition",
            sqlite_where=sa.text("state IN ('waiting', 'offered', 'paused')"),
            postgresql_where=sa.text("state IN ('waiting', 'offered', 'paused')"),
        )
        batch_op.drop_index("ix_waitlist_visitor")
        batch_op.drop_index(batch_op.f("ix_waitlist_petition_id"))
        batch_op.drop_index("ix_waitlist_line")

    op.drop_table("waitlist")
