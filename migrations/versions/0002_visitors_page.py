"""the visitor's page opens by the phone's last digits, and takes the visitor's own reply

Revision: 0002
Follows: 0001
"""

import sqlalchemy as sa
from alembic import op

import core.db

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "follow_door",
        sa.Column("petition_id", sa.String(), nullable=False),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.Column("paused_until", core.db.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["petition_id"], ["petition.id"], name=op.f("fk_follow_door_petition_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("petition_id", name=op.f("pk_follow_door")),
    )
    with op.batch_alter_table("petition_note") as notes:
        notes.alter_column("staff_id", existing_type=sa.String(), nullable=True)


def downgrade() -> None:
    op.execute("DELETE FROM petition_note WHERE staff_id IS NULL")
    with op.batch_alter_table("petition_note") as notes:
        notes.alter_column("staff_id", existing_type=sa.String(), nullable=False)
    op.drop_table("follow_door")
