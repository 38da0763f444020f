"""what words somebody's name has, read from one index

Revision: 0025
Follows: 0024
"""

from alembic import op


revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("visitor_word", schema=None) as batch_op:
        batch_op.drop_index("ix_visitor_word_visitor")
        batch_op.create_index("ix_visitor_word_both", ["visitor_id", "word"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("visitor_word", schema=None) as batch_op:
        batch_op.drop_index("ix_visitor_word_both")
        batch_op.create_index("ix_visitor_word_visitor", ["visitor_id"], unique=False)
